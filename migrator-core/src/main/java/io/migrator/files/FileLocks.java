package io.migrator.files;

import io.migrator.linux.Proc;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * The locks that processes hold on files, as the kernel tells them for each descriptor
 * (/proc/PID/fdinfo, proc(5)). A process that waits for a lock does not hold it.
 */
public final class FileLocks {
    private static final String LINE = "lock:";

    private FileLocks() {}

    /** Kinds of locks. */
    public enum Kind {
        FLOCK("FLOCK", "an flock(2) lock"),
        POSIX("POSIX", "a POSIX lock"),
        OFD("OFDLCK", "an open file description lock"),
        LEASE("LEASE", "a lease");

        private final String kernelName;
        private final String text;

        Kind(String kernelName, String text) {
            this.kernelName = kernelName;
            this.text = text;
        }

        /** For messages, with its article. */
        public String text() {
            return text;
        }

        private static @Nullable Kind of(String kernelName) {
            return Stream.of(values())
                    .filter(kind -> kind.kernelName.equals(kernelName))
                    .findFirst()
                    .orElse(null);
        }
    }

    /**
     * A lock.
     *
     * @param path of the file, as /proc calls it
     */
    public record Lock(Kind kind, String path) {
        private static final String DELETED = " (deleted)";

        /**
         * Returns true if the lock goes with the job: nobody on the target can know its file, as it
         * has no name any more or is carried.
         *
         * @param carries says of a path whether it is
         */
        public boolean goesWith(Predicate<String> carries) {
            return path.endsWith(DELETED) || carries.test(path);
        }
    }

    /**
     * The locks of one process; what several processes hold together each of them has.
     *
     * @throws IOException if the process is gone or not ours to look at
     */
    public static List<Lock> of(Proc process) throws IOException {
        List<Lock> found = new ArrayList<>();
        for (Map.Entry<Integer, String> each : process.descriptors().entrySet()) {
            boolean isFile = each.getValue().startsWith("/"); // others are "kind:[inode]"
            if (isFile) {
                for (Kind kind : kinds(linesOf(process, each.getKey()))) {
                    found.add(new Lock(kind, each.getValue()));
                }
            }
        }
        return found;
    }

    private static List<String> linesOf(Proc process, int descriptor) throws IOException {
        try {
            return Files.readAllLines(
                    process.file("fdinfo/" + descriptor), StandardCharsets.ISO_8859_1);
        } catch (NoSuchFileException e) {
            return List.of(); // closed meanwhile, and its locks with it
        }
    }

    /** Such as {@code lock: 1: FLOCK ADVISORY WRITE 4711 00:1f:9876 0 EOF}. */
    static List<Kind> kinds(List<String> fdinfo) {
        List<Kind> found = new ArrayList<>();
        for (String line : fdinfo) {
            String[] words = line.strip().split("\\s+");
            if (words[0].equals(LINE) && words.length > 2) {
                Kind kind = Kind.of(words[2]);
                if (kind != null && !found.contains(kind)) {
                    found.add(kind); // many ranges of one file are one thing to tell
                }
            }
        }
        return found;
    }
}
