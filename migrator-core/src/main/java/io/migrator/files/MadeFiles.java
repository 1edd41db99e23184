package io.migrator.files;

import io.migrator.linux.FileState;
import io.migrator.linux.HeldDirectory;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

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
    private static final String LINK = "L"; // or a fifo
    private static final String OVERLAY = "O";
    private static final int WORDS = 5;

    /** One line; device and inode are 0 of what has not been made. */
    record Made(String kind, int number, long device, long inode, Path path) {
        String line() {
            return "%s %d %d %d %s\n".formatted(kind, number, device, inode, path);
        }

        static Made of(String line) throws IOException {
            String[] words = line.split(" ", WORDS);
            if (words.length != WORDS) {
                throw new IOException("not a line of a list of files: " + line);
            }
            try {
                Path path = Path.of(words[WORDS - 1]);
                if (!path.isAbsolute() || path.getParent() == null) {
                    throw new IllegalArgumentException("no path of a file");
                }
                return new Made(
                        words[0],
                        Integer.parseInt(words[1]),
                        Long.parseLong(words[2]),
                        Long.parseLong(words[3]),
                        path);
            } catch (IllegalArgumentException e) {
                throw new IOException("not a line of a list of files: " + line, e);
            }
        }

        HeldDirectory parent() throws IOException {
            return HeldDirectory.open(ROOT, Objects.requireNonNull(path.getParent()));
        }

        String name() {
            return path.getFileName().toString();
        }

        boolean is(Path at) throws IOException {
            Optional<FileState> there = FileState.ofName(at);
            return inode != 0
                    && there.isPresent()
                    && there.get().inode() == inode
                    && there.get().device() == device;
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

    /** That a directory has been made. */
    void directory(Path path, FileState state) throws IOException {
        write(new Made(DIRECTORY, 0, state.device(), state.inode(), path));
    }

    /** That a file is about to be made. */
    void file(int number, Path path) throws IOException {
        write(new Made(FILE, number, 0, 0, path));
    }

    /** That it has been. */
    void file(int number, Path path, FileState state) throws IOException {
        write(new Made(FILE, number, state.device(), state.inode(), path));
    }

    /** That an instance is about to fill it. */
    void overlay(Path path) throws IOException {
        write(new Made(OVERLAY, 0, 0, 0, path));
    }

    /** That it has: its upper directory. */
    void overlay(Path path, FileState upper) throws IOException {
        write(new Made(OVERLAY, 0, upper.device(), upper.inode(), path));
    }

    /** That a link or fifo is about to be made. */
    void link(int number, Path path) throws IOException {
        write(new Made(LINK, number, 0, 0, path));
    }

    /** That it has been. */
    void link(int number, Path path, FileState state) throws IOException {
        write(new Made(LINK, number, state.device(), state.inode(), path));
    }

    private void write(Made made) throws IOException {
        Files.writeString(list, made.line(), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    /** The newest first. One whose line was cut short was not made. */
    static List<Made> read(Path list) throws IOException {
        List<Made> all = new ArrayList<>();
        if (Files.exists(list)) {
            String text = Files.readString(list);
            for (String line : text.substring(0, text.lastIndexOf('\n') + 1).lines().toList()) {
                all.add(Made.of(line));
            }
        }
        return all.reversed();
    }

    private interface Step {
        void run(Made made, HeldDirectory directory) throws IOException;
    }

    /** Does it for each, whatever becomes of the others; where its directory is gone, so is it. */
    private void each(Step step) throws IOException {
        IOException first = null;
        for (Made each : read(list)) {
            if (Files.isDirectory(Objects.requireNonNull(each.path.getParent()))) {
                try (HeldDirectory directory = each.parent()) {
                    step.run(each, directory);
                } catch (IOException e) {
                    first =
                            first == null
                                    ? new IOException(each.path + ": " + e.getMessage(), e)
                                    : first;
                }
            }
        }
        if (first != null) {
            throw first;
        }
    }

    /** Removes all of it, and puts back what was replaced; may be done again. */
    void remove() throws IOException {
        each(this::remove);
    }

    private void remove(Made made, HeldDirectory directory) throws IOException {
        Path at = directory.file(made.name());
        if (made.kind.equals(OVERLAY)) {
            new Overlay(made.path).clear(made.device, made.inode);
            return;
        }
        if (made.kind.equals(DIRECTORY)) {
            try {
                if (made.is(at)) {
                    Files.delete(at);
                }
            } catch (DirectoryNotEmptyException e) {
                // somebody else's, by now
            }
            return;
        }
        Files.deleteIfExists(directory.file(comingName(made.number)));
        if (made.is(at)) {
            Files.delete(at);
        }
        Path replaced = directory.file(replacedName(made.number));
        if (Files.exists(replaced, LinkOption.NOFOLLOW_LINKS)
                && !Files.exists(at, LinkOption.NOFOLLOW_LINKS)) {
            Files.move(replaced, at, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    /**
     * The job runs with it: writes it to the disk, as the source is about to lose its own, and
     * removes what was replaced, and what was not wanted in the end.
     */
    void keep() throws IOException {
        each((made, directory) -> {
            if (made.kind.equals(OVERLAY)) {
                new Overlay(made.path).sync();
            }
            if (made.kind.equals(LINK)) {
                directory.sync();
            }
            if (made.kind.equals(FILE)) {
                Path at = directory.file(made.name());
                if (made.is(at)) {
                    try (FileChannel placed = FileChannel.open(at, StandardOpenOption.READ)) {
                        placed.force(true);
                    }
                    directory.sync();
                }
            }
            if (made.kind.equals(FILE) || made.kind.equals(LINK)) {
                Files.deleteIfExists(directory.file(comingName(made.number)));
                Files.deleteIfExists(directory.file(replacedName(made.number)));
            }
        });
    }
}
