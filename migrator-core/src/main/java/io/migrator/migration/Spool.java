package io.migrator.migration;

import io.migrator.handover.Journal;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A directory in memory for one migration's images. They hold the payload's memory, so it is open
 * to its owner only, never on a disk, and deleted when closed. Any thread.
 */
public final class Spool implements AutoCloseable {
    private static final Pattern ID = Pattern.compile("[a-z0-9]{1,64}");
    private static final Path MEMORY = Path.of("/dev/shm");

    private static final FileAttribute<Set<PosixFilePermission>> OWNER_ONLY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    private final Path directory;

    private Spool(Path directory) {
        this.directory = directory;
    }

    /** The owner's directory that holds all his spools, one per migration. */
    public static Path parent() {
        return MEMORY.resolve("migrator-" + System.getProperty("user.name"));
    }

    /** Where this user's journals of migrations lie on this node. */
    public static Path journals() {
        return parent().resolve("journal");
    }

    /** What the cgroup of a migration's frozen tree is called. */
    static String cgroupName(String id) {
        return "migrator-" + id;
    }

    /** Bytes that the file system of the spools could still take. */
    public static long freeBytes() throws Problem {
        try {
            FileStore store = Files.getFileStore(MEMORY);
            if (!"tmpfs".equals(store.type())) {
                throw Problem.refused("no place in memory for images on this node")
                        .because(MEMORY + " is a " + store.type())
                        .tryThis("mount a tmpfs on " + MEMORY);
            }
            return store.getUsableSpace();
        } catch (IOException e) {
            throw Problem.refused("no place in memory for images on this node")
                    .because(e.toString());
        }
    }

    /** Makes a new, empty spool. */
    public static Spool create(String id) throws Problem {
        try {
            makeParent();
            return new Spool(Files.createDirectory(parent().resolve(checked(id)), OWNER_ONLY));
        } catch (IOException e) {
            throw Problem.failed("could not make a directory for images")
                    .because(e.toString())
                    .causedBy(e);
        }
    }

    /** Makes the owner's directory, if it is not there. */
    static void makeParent() throws IOException, Problem {
        Path parent = parent();
        if (!Files.isDirectory(parent, LinkOption.NOFOLLOW_LINKS)) {
            Files.createDirectory(parent, OWNER_ONLY);
        }
        String user = System.getProperty("user.name");
        if (!Files.getOwner(parent, LinkOption.NOFOLLOW_LINKS).getName().equals(user)) {
            throw Problem.refused("the place for images is not ours")
                    .because(parent + " belongs to another user")
                    .tryThis("ask your administrator to remove it");
        }
    }

    /** A new journal for the migration of that id, locked. */
    static Journal journal(String id) throws Problem {
        try {
            makeParent();
            return Journal.create(journals(), checked(id));
        } catch (IOException e) {
            throw Problem.failed("could not make a journal").because(e.toString()).causedBy(e);
        }
    }

    /** The spool of that migration, if it is here and ours. */
    public static Optional<Spool> find(String id) throws Problem {
        Path directory = parent().resolve(checked(id));
        return Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)
                ? Optional.of(new Spool(directory))
                : Optional.empty();
    }

    /**
     * Spools that nobody has touched for so long, whoever made them.
     *
     * @return ids
     */
    static List<String> olderThan(Duration age) throws IOException {
        if (!Files.isDirectory(parent())) {
            return List.of();
        }
        FileTime limit = FileTime.from(Instant.now().minus(age));
        List<String> found = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(parent())) {
            for (Path each : all) {
                String id = String.valueOf(each.getFileName());
                boolean isSpool = !each.equals(journals()) && ID.matcher(id).matches();
                if (isSpool && Files.getLastModifiedTime(each).compareTo(limit) < 0) {
                    found.add(id);
                }
            }
        }
        return found;
    }

    private static String checked(String id) throws Problem {
        if (!ID.matcher(id).matches()) {
            throw Problem.usage("'" + id + "' does not name a migration");
        }
        return id;
    }

    public Path directory() {
        return directory;
    }

    /** Deletes the spool and, where it was the last, the owner's directory. */
    @Override
    public void close() throws IOException {
        try (Stream<Path> tree = Files.walk(directory)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
        try (Stream<Path> others = Files.list(parent())) {
            if (others.findAny().isEmpty()) {
                Files.deleteIfExists(parent());
            }
        }
    }
}
