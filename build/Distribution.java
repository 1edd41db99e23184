import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/**
 * Puts the distribution together: program, jars, Java runtime, native parts, lab, start-up cache.
 *
 * <p>Run by the JDK whose runtime goes into the distribution. Only what changed is made again: the
 * runtime takes seconds, and the cache names its jars by their times of change.
 *
 * <pre>java build/Distribution.java ROOT STARTED</pre>
 *
 * STARTED is when the build began, as an ISO instant: what is changed later is not in it.
 */
final class Distribution {
    private static final String MODULES =
            "java.base,java.logging,java.management,jdk.unsupported,jdk.crypto.ec,jdk.jfr,"
                    + "jdk.management,jdk.net";

    private static final String ARCHITECTURE = System.getProperty("os.arch");

    private final Path root;
    private final Path dist;

    private Distribution(Path root) {
        this.root = root;
        this.dist = root.resolve("migrator-cli/target/dist");
    }

    public static void main(String[] args) throws Exception {
        Distribution distribution = new Distribution(Path.of(args[0]).toAbsolutePath());
        distribution.assemble();
        Path stamp = Files.write(distribution.dist.resolve(".built"), new byte[0]);
        Files.setLastModifiedTime(stamp, FileTime.from(Instant.parse(args[1])));
    }

    private void assemble() throws Exception {
        Files.createDirectories(dist);
        boolean changed = runtime();
        mirror(root.resolve("migrator-cli/src/main/dist"), dist, false);
        copy(root.resolve("NOTICE"), dist.resolve("NOTICE"));
        changed |= lib();
        mirror(root.resolve("migrator-core/target/native"), dist.resolve("native"), false);
        codec();
        mirror(root.resolve("test-images/target/lab"), dist.resolve("lab"), false);
        mirror(root.resolve("test-images/target/payload"), dist.resolve("lab/payload"), true);
        if (changed || !Files.exists(cache()) || time(classes()).compareTo(time(cache())) > 0) {
            cacheClasses();
        }
    }

    /** Makes the small Java runtime, unless this JDK already made it; true if made. */
    private boolean runtime() throws IOException {
        Path runtime = dist.resolve("runtime");
        Path madeBy = dist.resolve("runtime/.made-by");
        String self = System.getProperty("java.home") + " " + Runtime.version() + " " + MODULES;
        if (Files.exists(madeBy) && Files.readString(madeBy).equals(self)) {
            return false;
        }
        delete(runtime);
        StringWriter said = new StringWriter();
        PrintWriter output = new PrintWriter(said, true);
        int exit =
                ToolProvider.findFirst("jlink")
                        .orElseThrow()
                        .run(
                                output,
                                output,
                                "--add-modules=" + MODULES,
                                "--strip-debug",
                                "--no-header-files",
                                "--no-man-pages",
                                "--generate-cds-archive",
                                "--output=" + runtime);
        if (exit != 0) {
            throw new IOException("jlink failed with exit code " + exit + ": " + said);
        }
        Files.writeString(madeBy, self);
        return true;
    }

    /** Our jars and the ones they need. The program's own jar is named without its version. */
    private boolean lib() throws IOException {
        Path target = root.resolve("migrator-cli/target");
        try (Stream<Path> jars = Files.list(target.resolve("lib"))) {
            for (Path jar : jars.toList()) {
                OldClasses.modernise(jar);
            }
        }
        boolean changed = mirror(target.resolve("lib"), dist.resolve("lib"), true);
        try (Stream<Path> jars = Files.list(target)) {
            Path own =
                    jars.filter(jar ->
                                    jar.getFileName().toString().matches("migrator-cli-.*\\.jar"))
                            .max((a, b) -> time(a).compareTo(time(b)))
                            .orElseThrow();
            return copy(own, dist.resolve("lib/migrator.jar")) || changed;
        }
    }

    /**
     * Puts LZ4's native part beside ours: left to itself the library unpacks it into /tmp, where a
     * killed receiver leaves it.
     */
    private void codec() throws IOException {
        try (Stream<Path> jars = Files.list(dist.resolve("lib"));
                FileSystem jar =
                        FileSystems.newFileSystem(
                                jars.filter(each -> each.toString().contains("lz4-java"))
                                        .findFirst()
                                        .orElseThrow())) {
            Path part = jar.getPath("net/jpountz/util/linux", ARCHITECTURE, "liblz4-java.so");
            Files.copy(
                    part,
                    dist.resolve("native/liblz4-java.so"),
                    StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /**
     * Lets the JVM keep the classes that a migration loads and links, so that it finds them ready.
     * Which these are, build/record-classes has written down; what is not there any more is passed
     * over.
     */
    private void cacheClasses() throws IOException, InterruptedException {
        Files.createDirectories(cache().getParent());
        Files.deleteIfExists(cache());
        Path target = root.resolve("migrator-cli/target");
        Path list = target.resolve("classes.lst");
        try (InputStream packed = new GZIPInputStream(Files.newInputStream(classes()))) {
            Files.copy(packed, list, StandardCopyOption.REPLACE_EXISTING);
        }
        File log = target.resolve("cache.log").toFile();
        Process process =
                new ProcessBuilder(
                                dist.resolve("runtime/bin/java").toString(),
                                "-Xshare:dump",
                                "-XX:SharedClassListFile=" + list,
                                "-XX:SharedArchiveFile=" + cache(),
                                "-XX:+AOTClassLinking",
                                "-XX:+UseSerialGC",
                                "--enable-native-access=ALL-UNNAMED",
                                "-jar",
                                dist.resolve("lib/migrator.jar").toString())
                        .redirectErrorStream(true)
                        .redirectOutput(log)
                        .start();
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
        }
        if (process.exitValue() != 0 || !Files.exists(cache())) {
            Files.deleteIfExists(cache());
            // Slower without, but complete: say so and go on.
            System.err.println("distribution: made without a start-up cache, see " + log);
        }
    }

    private Path classes() {
        return root.resolve("migrator-cli/src/main/startup/classes.lst.gz");
    }

    private Path cache() {
        return dist.resolve("cache/migrator.jsa");
    }

    /** Copies FROM's files into TO with modes and times; true if anything changed. */
    private static boolean mirror(Path from, Path to, boolean removeOthers) throws IOException {
        if (!Files.isDirectory(from)) {
            return false;
        }
        Files.createDirectories(to);
        boolean changed = false;
        Set<Path> wanted = new HashSet<>();
        List<Path> files;
        try (Stream<Path> walk = Files.walk(from)) {
            files = walk.filter(Files::isRegularFile).toList();
        }
        for (Path file : files) {
            Path copy = to.resolve(from.relativize(file));
            wanted.add(copy);
            Files.createDirectories(copy.getParent());
            changed |= copy(file, copy);
        }
        if (removeOthers) {
            try (Stream<Path> present = Files.list(to)) {
                for (Path old : present.filter(Files::isRegularFile).toList()) {
                    if (!wanted.contains(old)
                            && !old.getFileName().toString().equals("migrator.jar")) {
                        Files.delete(old);
                        changed = true;
                    }
                }
            }
        }
        return changed;
    }

    /** Copies by way of a new file, so that a program that runs keeps the old one. */
    private static boolean copy(Path from, Path to) throws IOException {
        if (Files.exists(to)
                && time(to).equals(time(from))
                && Files.size(to) == Files.size(from)
                && Files.isExecutable(to) == Files.isExecutable(from)) {
            return false;
        }
        Path fresh = to.resolveSibling(to.getFileName() + ".new");
        Files.copy(
                from,
                fresh,
                StandardCopyOption.REPLACE_EXISTING,
                StandardCopyOption.COPY_ATTRIBUTES);
        Files.move(fresh, to, StandardCopyOption.REPLACE_EXISTING);
        return true;
    }

    private static FileTime time(Path file) {
        try {
            return Files.getLastModifiedTime(file);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static void delete(Path tree) throws IOException {
        if (!Files.exists(tree)) {
            return;
        }
        Files.walkFileTree(
                tree,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                            throws IOException {
                        Files.delete(file);
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(Path folder, IOException e)
                            throws IOException {
                        Files.delete(folder);
                        return FileVisitResult.CONTINUE;
                    }
                });
    }
}
