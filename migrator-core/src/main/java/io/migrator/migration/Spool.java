package io.migrator.migration;

import io.migrator.handover.Journal;
import io.migrator.linux.Cgroup;
import io.migrator.linux.User;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
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
    private static final String CGROUP = "migrator-";
    private static final String USER = User.name();
    private static final Path MEMORY = Path.of("/dev/shm");
    private static final int MOST_TRIES = 100;

    private static final FileAttribute<Set<PosixFilePermission>> OWNER_ONLY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    private final Path directory;

    private Spool(Path directory) {
        this.directory = directory;
    }

    /**
     * This user's directory that holds all his spools, one per migration, and his journals.
     *
     * @throws Problem if it is there and another user could have put something into it: what a
     *     journal says is done, by root too
     */
    public static Path parent() throws Problem {
        Path parent = MEMORY.resolve("migrator-" + USER);
        if (Files.exists(parent, LinkOption.NOFOLLOW_LINKS) && !isOurs(parent)) {
            throw Problem.refused("the place for images is not ours")
                    .because(parent + " belongs to another user, or is open to others")
                    .tryThis("ask your administrator to remove it");
        }
        return parent;
    }

    private static boolean isOurs(Path directory) throws Problem {
        try {
            PosixFileAttributes found =
                    Files.readAttributes(
                            directory, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            return found.isDirectory()
                    && found.owner().getName().equals(USER)
                    && OWNER_ONLY.value().containsAll(found.permissions());
        } catch (NoSuchFileException e) {
            return true; // another migration of this user, the last, took it away
        } catch (IOException e) {
            throw Problem.failed("the place for images cannot be looked at").because(e.toString());
        }
    }

    /** Where this user's journals of migrations lie on this node. */
    public static Path journals() throws Problem {
        return parent().resolve("journal");
    }

    /** What the cgroup of a migration's frozen tree is called. */
    static String cgroupName(String id) {
        return CGROUP + id;
    }

    /** The migrations of this user that have such a cgroup now. */
    static List<String> withCgroup() throws IOException {
        return Cgroup.beginningWith(CGROUP).stream()
                .map(group -> group.name().substring(CGROUP.length()))
                .filter(id -> ID.matcher(id).matches())
                .toList();
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
            Path spool = parent().resolve(checked(id));
            return inParent(() -> new Spool(Files.createDirectory(spool, OWNER_ONLY)));
        } catch (IOException e) {
            throw Problem.failed("could not make a directory for images")
                    .because(e.toString())
                    .causedBy(e);
        }
    }

    /** Makes something in the owner's directory. */
    @FunctionalInterface
    private interface Making<T> {
        T make() throws IOException;
    }

    /** Other migrations of this user make and delete that directory, too, at any moment. */
    private static <T> T inParent(Making<T> making) throws IOException, Problem {
        for (int left = MOST_TRIES; ; left--) {
            try {
                Files.createDirectory(parent(), OWNER_ONLY);
            } catch (FileAlreadyExistsException e) {
                parent(); // who else could have made it there?
            }
            try {
                return making.make();
            } catch (NoSuchFileException e) {
                if (left == 0) {
                    throw e;
                }
            }
        }
    }

    /** A new journal for the migration of that id, locked. */
    static Journal journal(String id) throws Problem {
        try {
            String name = checked(id);
            Path journals = journals();
            return inParent(() -> Journal.create(journals, name));
        } catch (IOException e) {
            throw Problem.failed("could not make a journal").because(e.toString()).causedBy(e);
        }
    }

    /**
     * The journal of that migration, locked; made anew where nothing but its cgroup is left.
     *
     * @return empty if another process is at work on it
     */
    static Optional<Journal> openJournal(String id) throws IOException, Problem {
        String name = checked(id);
        try {
            return Journal.open(journals(), name);
        } catch (NoSuchFileException e) {
            if (!withCgroup().contains(id)) {
                throw e;
            }
        }
        Path journals = journals();
        return inParent(() -> Journal.openOrCreate(journals, name));
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
    static List<String> olderThan(Duration age) throws IOException, Problem {
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
        try {
            Files.deleteIfExists(Objects.requireNonNull(directory.getParent()));
        } catch (DirectoryNotEmptyException e) {
            // others have theirs in it
        }
    }
}
