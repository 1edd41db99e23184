package io.migrator.criu;

import io.migrator.instance.Instance;
import io.migrator.linux.Command;
import io.migrator.linux.NativeParts;
import io.migrator.linux.User;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A copy of this node's criu, its loader and its libraries that can be started inside an image
 * without running one byte of that image. The foothold reaches it by a descriptor, and the paths
 * that glibc would read in the image are empty in the copies: the preload list, the loader's cache
 * and the name service switch, each of which can name a library to load (ld.so(8),
 * nsswitch.conf(5)).
 *
 * <p>Root's bundle lies in a directory only root can write, anyone else's in his own cache; it is
 * made once per criu version. Immutable; any thread.
 */
public record CriuBundle(Path directory, String version) {
    /** Where root's is, which serves all users of instances that only root can enter. */
    static final Path OF_ROOT = Path.of("/var/lib/migrator");

    static final Set<PosixFilePermission> READABLE = PosixFilePermissions.fromString("rwxr-xr-x");

    private static final Duration DEADLINE = Duration.ofSeconds(30);

    /** The oldest criu that the recipes here were proved with has these two numbers. */
    private static final int LEAST_MAJOR = 4;

    private static final Pattern VERSION = Pattern.compile("Version: (([0-9]+)[0-9.]*)");
    private static final Pattern LIBRARY = Pattern.compile("(/[^ ]+) \\(0x[0-9a-f]+\\)");

    /** Loaded into criu for a dump, and for a restore. */
    private static final List<String> SHIMS = List.of("criushim.so", "criufill.so");

    private static final String PRELOAD = "/etc/ld.so.preload";

    private static final String NSSWITCH = "/etc/nsswitch.conf";
    private static final String LIBC = "libc.so.6";
    private static final String UNWINDER = "libgcc_s.so.1";
    private static final String LOADER_CACHE = "/etc/ld.so.cache";

    /** What was asked of an installed criu; to ask takes some tenths of a second. */
    private record Known(Path criu, FileTime changed, String version, List<Path> libraries) {}

    private static volatile @Nullable Known last;

    /**
     * The bundle of the criu installed here, made if need be.
     *
     * @throws Problem if there is no criu, it is too old, or its loader is not as expected
     */
    public static CriuBundle ofThisNode() throws Problem, InterruptedException {
        return in(User.isRoot() ? OF_ROOT : ofUser(), true);
    }

    /** Root's, which is there if root has made it for the criu installed here. */
    static CriuBundle ofRoot() throws Problem, InterruptedException {
        return in(OF_ROOT, false);
    }

    /** The one to be run in an instance. */
    public static CriuBundle in(Instance instance) throws Problem, InterruptedException {
        return instance.mode() == Instance.Mode.SETUID ? ofRoot() : ofThisNode();
    }

    private static CriuBundle in(Path parent, boolean make) throws Problem, InterruptedException {
        Path criu = installed();
        try {
            Known known = known(criu);
            Path directory = parent.resolve("criu-" + identity(criu, known.libraries));
            if (make && !Files.isDirectory(directory)) {
                make(directory, criu, known.libraries);
            }
            return new CriuBundle(directory, known.version);
        } catch (IOException e) {
            throw Problem.failed("could not make the copy of criu to be run inside instances")
                    .because(e.toString())
                    .causedBy(e);
        }
    }

    private static Path installed() throws Problem {
        return Stream.of("/usr/local/sbin", "/usr/sbin", "/usr/local/bin", "/usr/bin", "/opt/criu")
                .map(directory -> Path.of(directory, "criu"))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() ->
                        Problem.refused("no criu on this node")
                                .because("no program criu in /usr/sbin or /usr/local/sbin")
                                .tryThis("install criu 4.0 or newer there"));
    }

    private static Known known(Path criu) throws Problem, InterruptedException, IOException {
        FileTime changed = Files.getLastModifiedTime(criu);
        Known known = last;
        if (known == null || !known.criu.equals(criu) || !known.changed.equals(changed)) {
            known = new Known(criu, changed, versionOf(criu), librariesOf(criu));
            last = known;
        }
        return known;
    }

    private static String versionOf(Path criu) throws Problem, InterruptedException {
        String text = bare(criu.toString(), "--version").run(DEADLINE).out();
        Matcher version = VERSION.matcher(text);
        if (!version.find() || Integer.parseInt(version.group(2)) < LEAST_MAJOR) {
            throw Problem.refused("criu on this node is too old or not known")
                    .because(criu + " --version says: " + text.strip())
                    .tryThis("install criu 4.0 or newer");
        }
        return version.group(1);
    }

    /** Without the caller's LD_PRELOAD and LD_LIBRARY_PATH, which many a site's modules set. */
    private static Command bare(String program, String argument) {
        return Command.of("env", "-i", program, argument);
    }

    /** What ldd(1) lists: the shared libraries and, last, the loader. */
    private static List<Path> librariesOf(Path criu) throws Problem, InterruptedException {
        String listed =
                bare("ldd", criu.toString()).run(DEADLINE).orFail("ldd on criu failed").out();
        List<Path> all = new ArrayList<>();
        LIBRARY.matcher(listed).results().forEach(found -> all.add(Path.of(found.group(1))));
        Path unwinder =
                all.stream()
                        .filter(each -> each.endsWith(LIBC))
                        .map(each -> each.resolveSibling(UNWINDER))
                        .findFirst()
                        .orElseThrow(() -> unexpected("criu is not linked with " + LIBC));
        if (!all.contains(unwinder)) { // loaded by the C library when it shows where criu failed
            all.addFirst(unwinder);
        }
        return all;
    }

    private static Path ofUser() {
        return Path.of(System.getProperty("user.home"), ".cache", "migrator");
    }

    private static String identity(Path criu, List<Path> libraries) throws IOException, Problem {
        List<Path> parts = new ArrayList<>(libraries);
        parts.add(criu);
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (String shim : SHIMS) {
                digest.update(Files.readAllBytes(NativeParts.path(shim)));
            }
            for (Path part : parts) {
                String line =
                        part
                                + " "
                                + Files.size(part)
                                + " "
                                + Files.getLastModifiedTime(part)
                                + "\n";
                digest.update(line.getBytes(StandardCharsets.UTF_8));
            }
            return HexFormat.of().formatHex(digest.digest(), 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private static void make(Path directory, Path criu, List<Path> libraries)
            throws IOException, Problem {
        Files.createDirectories(directory.getParent());
        Path draft = Files.createTempDirectory(directory.getParent(), "draft-");
        try {
            Path lib = Files.createDirectory(draft.resolve("lib"));
            Files.createDirectory(draft.resolve("empty"));
            Files.copy(criu, draft.resolve("criu"), StandardCopyOption.COPY_ATTRIBUTES);
            for (String shim : SHIMS) {
                Files.copy(NativeParts.path(shim), lib.resolve(shim));
            }
            for (Path library : libraries) {
                String name = String.valueOf(library.getFileName());
                Files.copy(
                        library,
                        lib.resolve(name.startsWith("ld-") ? "ld.so" : name),
                        StandardCopyOption.COPY_ATTRIBUTES);
            }
            blank(lib.resolve("ld.so"), PRELOAD);
            blank(lib.resolve("ld.so"), LOADER_CACHE);
            blank(lib.resolve(LIBC), NSSWITCH);
            publish(draft);
            Files.move(draft, directory, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException e) {
            if (!Files.isDirectory(directory)) { // else another migrator was quicker
                throw e;
            }
        } finally {
            if (Files.exists(draft)) {
                delete(draft);
            }
        }
    }

    /** Makes a path in a copied program an empty one, which leads nowhere. */
    private static void blank(Path program, String from) throws IOException, Problem {
        String text = Files.readString(program, StandardCharsets.ISO_8859_1);
        if (!text.contains(from)) {
            throw unexpected(program.getFileName() + " does not name " + from);
        }
        Files.writeString(
                program,
                text.replace(from, "\0".repeat(from.length())),
                StandardCharsets.ISO_8859_1);
    }

    private static Problem unexpected(String because) {
        return Problem.refused("the C library of this node is not of the expected kind")
                .because(because)
                .tryThis("report your distribution and C library version");
    }

    /** Whatever the umask is: criu may be started under the id of an instance's owner. */
    private static void publish(Path directory) throws IOException {
        try (Stream<Path> tree = Files.walk(directory)) {
            for (Path path : tree.toList()) {
                Files.setPosixFilePermissions(path, READABLE);
            }
        }
    }

    /** Removes copies of other versions, and what is left of copies that were not finished. */
    void removeOthers() throws IOException {
        try (DirectoryStream<Path> all =
                Files.newDirectoryStream(directory.getParent(), "{criu,draft}-*")) {
            for (Path each : all) {
                if (!each.equals(directory)) {
                    delete(each);
                }
            }
        }
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> tree = Files.walk(directory)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
