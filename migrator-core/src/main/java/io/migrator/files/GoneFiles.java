package io.migrator.files;

import io.migrator.linux.FileState;
import io.migrator.linux.HeldDirectory;
import io.migrator.linux.Proc;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Files that went with a job and are to be removed on its source: else they would be in its way
 * when it comes back. Written down in the spool before the job is given away; removed when the
 * target has them on its disk, unless they were changed since or somebody else has them open.
 */
public record GoneFiles(List<Gone> files, Optional<Upper> overlay) {
    /** There are none. */
    public static final GoneFiles NONE = new GoneFiles(List.of(), Optional.empty());

    private static final String LIST = "gone-files";
    private static final String OVERLAY = "overlay ";
    private static final int WORDS_OF_OVERLAY = 4;
    private static final int WORDS = 6;

    /** An overlay, with its upper directory as it was. */
    record Upper(Overlay overlay, long device, long inode) {
        static Upper of(String line) {
            String[] words = line.split(" ", WORDS_OF_OVERLAY);
            return new Upper(
                    new Overlay(Path.of(words[WORDS_OF_OVERLAY - 1])),
                    Long.parseLong(words[1]),
                    Long.parseLong(words[2]));
        }

        void clear() throws IOException {
            overlay.clear(device, inode);
        }
    }

    /**
     * One of them.
     *
     * @param path on the node
     * @param state when the job stood still
     */
    record Gone(Path path, FileState state) {
        static Gone of(String line) {
            String[] words = line.split(" ", WORDS);
            FileState state =
                    new FileState(
                            Long.parseLong(words[0]),
                            Long.parseLong(words[1]),
                            0,
                            0,
                            0,
                            Long.parseLong(words[2]),
                            Instant.parse(words[3]),
                            Instant.parse(words[4]));
            return new Gone(Path.of(words[WORDS - 1]), state);
        }

        String line() {
            return "%d %d %d %s %s %s\n"
                    .formatted(
                            state.device(),
                            state.inode(),
                            state.bytes(),
                            state.modified(),
                            state.changed(),
                            path);
        }
    }

    /** Writes them down. */
    static void write(Path spool, List<Gone> files, Optional<Overlay> overlay) throws IOException {
        StringBuilder lines = new StringBuilder();
        if (overlay.isPresent()) {
            FileState upper = FileState.of(overlay.get().upper());
            lines.append(
                    "%s%d %d %s\n"
                            .formatted(
                                    OVERLAY, upper.device(), upper.inode(), overlay.get().path()));
        }
        files.forEach(each -> lines.append(each.line()));
        Files.writeString(spool.resolve(LIST), lines);
    }

    /** What was written down. */
    public static GoneFiles read(Path spool) throws IOException {
        Path list = spool.resolve(LIST);
        List<Gone> found = new ArrayList<>();
        Optional<Upper> overlay = Optional.empty();
        if (Files.exists(list)) {
            for (String line : Files.readAllLines(list)) {
                try {
                    if (line.startsWith(OVERLAY)) {
                        overlay = Optional.of(Upper.of(line));
                    } else {
                        found.add(Gone.of(line));
                    }
                } catch (RuntimeException e) {
                    throw new IOException("not a line of a list of files: " + line, e);
                }
            }
        }
        return new GoneFiles(found, overlay);
    }

    /**
     * Removes them.
     *
     * @param report told of each that stays
     */
    public void remove(Consumer<String> report) throws IOException {
        Set<String> open = files.isEmpty() ? Set.of() : open();
        List<Gone> unchanged = new ArrayList<>();
        for (Gone each : files) {
            if (open.contains(key(each.state))) {
                report.accept(each.path + " stays here too: another process has it open");
            } else if (Mounts.named(each.path).filter(now -> isAs(now, each.state)).isPresent()) {
                unchanged.add(each);
            }
        }
        if (overlay.isPresent()) {
            try {
                overlay.get().clear();
            } catch (IOException e) {
                report.accept(overlay.get().overlay.path() + " is not emptied: " + e.getMessage());
            }
        }
        for (Gone each : unchanged) { // removing one name of a file changes it for the others
            try {
                remove(each);
            } catch (IOException e) {
                report.accept(each.path + " stays here too: " + e.getMessage());
            }
        }
    }

    private static String key(FileState state) {
        return state.device() + ":" + state.inode();
    }

    /** What all processes have open, as far as that may be seen. */
    private static Set<String> open() throws IOException {
        Set<String> open = new HashSet<>();
        for (Proc process : Proc.all()) {
            try {
                for (Map.Entry<Integer, String> each : process.descriptors().entrySet()) {
                    if (each.getValue().startsWith("/")) {
                        addOpen(process.file("fd/" + each.getKey()), open);
                    }
                }
            } catch (IOException e) {
                // it has ended, or is another user's
            }
        }
        return open;
    }

    /** One that is closed meanwhile must not hide the others of its process. */
    private static void addOpen(Path descriptor, Set<String> open) {
        try {
            open.add(key(FileState.of(descriptor)));
        } catch (IOException e) {
            // closed meanwhile
        }
    }

    private static void remove(Gone file) throws IOException {
        Path parent = Objects.requireNonNull(file.path.getParent());
        if (!Files.isDirectory(parent)) {
            return;
        }
        try (HeldDirectory directory = HeldDirectory.open(Path.of("/"), parent)) {
            Path at = directory.file(file.path.getFileName().toString());
            Optional<FileState> there = FileState.ofName(at);
            if (there.isPresent() && there.get().isOf(file.state)) {
                Files.delete(at);
            }
        }
    }

    private static boolean isAs(FileState now, FileState then) {
        return now.isOf(then)
                && now.bytes() == then.bytes()
                && now.modified().equals(then.modified())
                && now.changed().equals(then.changed());
    }
}
