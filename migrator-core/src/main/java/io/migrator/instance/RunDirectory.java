package io.migrator.instance;

import io.migrator.linux.FileState;
import io.migrator.linux.FileTimes;
import io.migrator.linux.HeldDirectory;
import io.migrator.problem.Problem;

import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The directory in which a payload started by {@code migrator run} has its output files, {@code
 * ~/.migrator/runs/NAME}, bound into the instance under the same path. It goes with the job: where
 * the home directories of both nodes are the same it is there already, else it is carried as a tar
 * file among the images.
 */
public record RunDirectory(Path path) {
    /** Name of the tar file among the images. */
    public static final String TAR = "run-directory.tar";

    /** What the directory of the run before is called, behind the name of the run. */
    public static final String PREVIOUS = ".previous";

    private static final int BUFFER_BYTES = 1 << 20;
    private static final String PROBE = ".probe-";
    private static final int REHEARSALS = 20;

    /**
     * What a target is told of it.
     *
     * @param path absolute, the same on both nodes
     * @param probe name of a file that lies in it on the source only while the target looks
     */
    public record Claim(String path, String probe) {}

    /** The run directory of an instance of this user. */
    public static RunDirectory of(String instance) {
        return new RunDirectory(
                Path.of(System.getProperty("user.home"), ".migrator", "runs", instance));
    }

    /** Whether a file lies in it. */
    public boolean holds(String file) {
        return file.startsWith(path + "/");
    }

    public Path output() {
        return path.resolve("stdout");
    }

    public Path errors() {
        return path.resolve("stderr");
    }

    /** Returns true if it exists on this node. */
    public boolean exists() {
        return Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS);
    }

    /** Makes it, empty, open to its owner only. */
    public void create() throws Problem {
        try {
            Files.createDirectories(path.getParent());
            Files.createDirectory(
                    path,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rwx------")));
        } catch (IOException e) {
            throw Problem.failed("could not make the run directory")
                    .because(e.toString())
                    .causedBy(e);
        }
    }

    /**
     * Makes room for a new run of the same name: what an earlier one left is kept as {@code
     * NAME.previous} until the next time.
     *
     * @return where it is now; empty if there was nothing
     */
    public Optional<RunDirectory> setAside() throws Problem {
        if (!exists()) {
            return Optional.empty();
        }
        RunDirectory previous = previous();
        try {
            previous.delete();
            Files.move(path, previous.path, StandardCopyOption.ATOMIC_MOVE);
            return Optional.of(previous);
        } catch (IOException e) {
            throw Problem.failed("the output of the last run could not be set aside")
                    .because(e.toString())
                    .causedBy(e);
        }
    }

    private RunDirectory previous() {
        return new RunDirectory(path.resolveSibling(path.getFileName() + PREVIOUS));
    }

    /** Takes back what was set aside; may be done again. */
    public void putBackPrevious() throws IOException {
        if (previous().exists() && !exists()) {
            Files.move(previous().path, path, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    /** Leaves a file in it by which a target can tell that it sees the same directory. */
    public Claim claim(String id) throws Problem {
        try {
            Files.createFile(path.resolve(PROBE + id));
            return new Claim(path.toString(), PROBE + id);
        } catch (IOException e) {
            throw Problem.failed("could not write into the run directory").because(e.toString());
        }
    }

    /** Removes what {@link #claim} left. */
    public void release(String id) throws IOException {
        Files.deleteIfExists(path.resolve(PROBE + id));
    }

    /** Returns true if this node sees the directory that the claim was made in. */
    public static boolean isSame(Claim claim) {
        return Files.exists(Path.of(claim.path()).resolve(claim.probe()));
    }

    /** Writes its files, directories and fifos as a tar; what is neither is left out. */
    public void pack(Path tar) throws IOException {
        try (OutputStream file = Files.newOutputStream(tar);
                TarArchiveOutputStream out =
                        new TarArchiveOutputStream(new BufferedOutputStream(file, BUFFER_BYTES));
                Stream<Path> tree = Files.walk(path)) {
            out.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
            out.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
            for (Path each : tree.sorted().toList()) {
                String name = path.relativize(each).toString();
                Optional<FileState> state = FileState.ofName(each);
                if (state.isPresent() && !name.isEmpty() && !name.startsWith(PROBE)) {
                    switch (state.get().kind()) {
                        case FILE, DIRECTORY ->
                                pack(each, new TarArchiveEntry(each.toFile(), name), out);
                        case FIFO ->
                                pack(each, new TarArchiveEntry(name, TarConstants.LF_FIFO), out);
                        default -> {}
                    }
                }
            }
        }
    }

    private static void pack(Path file, TarArchiveEntry entry, TarArchiveOutputStream out)
            throws IOException {
        entry.setMode(mode(Files.getPosixFilePermissions(file)));
        out.putArchiveEntry(entry);
        if (entry.isFile() && !entry.isFIFO()) {
            Files.copy(file, out);
        }
        out.closeArchiveEntry();
    }

    /** Unpacks what {@link #pack} wrote; a name that leads outside is refused. */
    public void unpack(Path tar) throws IOException {
        try (InputStream file = Files.newInputStream(tar);
                TarArchiveInputStream in = new TarArchiveInputStream(file)) {
            TarArchiveEntry entry = in.getNextEntry();
            while (entry != null) {
                Path to = place(entry.getName());
                if (entry.isDirectory()) {
                    Files.createDirectory(to);
                } else if (entry.isFIFO()) { // isFile() says yes to it, too
                    makeFifo(to);
                } else if (entry.isFile()) {
                    Files.copy(in, to);
                } else {
                    throw new IOException(
                            "'" + entry.getName() + "' is neither file, directory nor fifo");
                }
                Files.setPosixFilePermissions(to, permissions(entry.getMode()));
                FileTimes.modified(to, entry.getLastModifiedTime().toInstant(), false);
                entry = in.getNextEntry();
            }
        }
    }

    private Path place(String name) throws IOException {
        try {
            Path to = path.resolve(name).normalize();
            if (to.startsWith(path) && !to.equals(path)) {
                return to;
            }
        } catch (InvalidPathException e) {
            throw new IOException("the name of a file cannot be one", e);
        }
        throw new IOException("'" + name + "' leads out of " + path);
    }

    private void makeFifo(Path fifo) throws IOException {
        Path parent = path.toRealPath().resolve(path.relativize(fifo)).resolveSibling("");
        try (HeldDirectory directory = HeldDirectory.open(Path.of("/"), parent)) {
            directory.makeFifo(String.valueOf(fifo.getFileName()));
        }
    }

    /**
     * Packs and unpacks a file of the moment: the first time takes thirty times as long as the
     * next, which is when the job stands still.
     *
     * @param scratch an existing directory of the caller's own
     */
    public static void rehearse(Path scratch) throws IOException {
        RunDirectory from = new RunDirectory(Files.createTempDirectory(scratch, "from"));
        RunDirectory to = new RunDirectory(Files.createTempDirectory(scratch, "to"));
        Path tar = scratch.resolve("rehearsal.tar");
        try {
            Files.writeString(from.output(), "rehearsal");
            for (int i = 0; i < REHEARSALS; i++) {
                from.pack(tar);
                to.unpack(tar);
                Files.delete(to.output());
            }
        } finally {
            Files.deleteIfExists(tar);
            from.delete();
            to.delete();
        }
    }

    /** Deletes it with all it holds. */
    public void delete() throws IOException {
        if (!exists()) {
            return;
        }
        try (Stream<Path> tree = Files.walk(path)) {
            for (Path each : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(each);
            }
        }
    }

    private static int mode(Set<PosixFilePermission> permissions) {
        return permissions.stream().mapToInt(each -> 0400 >> each.ordinal()).sum();
    }

    private static Set<PosixFilePermission> permissions(int mode) {
        return Stream.of(PosixFilePermission.values())
                .filter(each -> (mode & (0400 >> each.ordinal())) != 0)
                .collect(Collectors.toUnmodifiableSet());
    }
}
