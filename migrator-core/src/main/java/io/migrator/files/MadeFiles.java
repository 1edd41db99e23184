package io.migrator.files;

import io.migrator.linux.HeldDirectory;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * What a target makes of carried files, on the node; written down before it is made, so that
 * another process can remove it. A file comes under a name of its own, and gets the right one when
 * all of it is there; one that is replaced keeps another name until the job runs.
 *
 * @param id of the migration, in those names
 * @param list file in which it is written down, in the spool
 */
record MadeFiles(String id, Path list) {
    private static final Path ROOT = Path.of("/");
    private static final String DIRECTORY = "D";
    private static final String FILE = "F";

    /** One line. */
    private record Made(boolean directory, int number, long inode, Path path) {
        Path parent() {
            return Objects.requireNonNull(path.getParent());
        }

        String line() {
            return "%s %d %d %s%n".formatted(directory ? DIRECTORY : FILE, number, inode, path);
        }

        static Made of(String line) throws IOException {
            String[] words = line.split(" ", 4);
            if (words.length != 4) {
                throw new IOException("not a line of a list of files: " + line);
            }
            return new Made(
                    words[0].equals(DIRECTORY),
                    Integer.parseInt(words[1]),
                    Long.parseLong(words[2]),
                    Path.of(words[3]));
        }
    }

    /** The name under which a file comes. */
    String comingName(int number) {
        return ".migrator-" + id + "-" + number;
    }

    /** The name of what it replaces. */
    String replacedName(int number) {
        return comingName(number) + ".replaced";
    }

    /** That a directory is about to be made. */
    void directory(Path path) throws IOException {
        write(new Made(true, 0, 0, path));
    }

    /**
     * That a file is about to be made, or has been.
     *
     * @param inode 0 if it has not
     */
    void file(int number, long inode, Path path) throws IOException {
        write(new Made(false, number, inode, path));
    }

    private void write(Made made) throws IOException {
        Files.writeString(list, made.line(), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private List<Made> all() throws IOException {
        List<Made> all = new ArrayList<>();
        if (Files.exists(list)) {
            for (String line : Files.readAllLines(list)) {
                all.add(Made.of(line));
            }
        }
        return all.reversed();
    }

    /** Removes all of it, and puts back what was replaced; may be done again. */
    void remove() throws IOException {
        for (Made each : all()) {
            Path parent = each.parent();
            try (HeldDirectory directory = HeldDirectory.open(ROOT, parent)) {
                Path at = directory.file(each.path.getFileName().toString());
                if (each.directory) {
                    Files.deleteIfExists(at);
                } else {
                    remove(each, directory, at);
                }
            } catch (DirectoryNotEmptyException e) {
                // somebody else's, by now
            } catch (IOException e) {
                if (Files.exists(parent)) {
                    throw e;
                }
            }
        }
    }

    private void remove(Made made, HeldDirectory directory, Path at) throws IOException {
        Files.deleteIfExists(directory.file(comingName(made.number)));
        if (made.inode != 0 && inode(at) == made.inode) {
            Files.delete(at);
        }
        Path replaced = directory.file(replacedName(made.number));
        if (Files.exists(replaced, LinkOption.NOFOLLOW_LINKS)
                && !Files.exists(at, LinkOption.NOFOLLOW_LINKS)) {
            Files.move(replaced, at, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    /** The job runs with it: removes what was replaced, and what was not wanted in the end. */
    void keep() throws IOException {
        for (Made each : all()) {
            if (!each.directory) {
                try (HeldDirectory directory = HeldDirectory.open(ROOT, each.parent())) {
                    Files.deleteIfExists(directory.file(comingName(each.number)));
                    Files.deleteIfExists(directory.file(replacedName(each.number)));
                }
            }
        }
    }

    /** The inode of a file that need not be there. */
    static long inode(Path file) throws IOException {
        try {
            return (Long) Files.getAttribute(file, "unix:ino", LinkOption.NOFOLLOW_LINKS);
        } catch (NoSuchFileException e) {
            return 0;
        }
    }
}
