package io.migrator.files;

import io.migrator.memory.JobSink;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The files of a job that go along, on the source. One thread at a time. */
public final class LeavingFiles implements AutoCloseable {
    /** Told before each block that is sent. */
    @FunctionalInterface
    public interface Between {
        /** An exception stops it. */
        void block() throws Problem, InterruptedException;
    }

    /** Name of the list of what is to be removed here when the job has gone, in the spool. */
    private static final String LIST = "gone-files";

    private final Map<String, LeavingFile> files = new LinkedHashMap<>();
    private final List<LeavingFile> renamed = new ArrayList<>();
    private final ByteBuffer block = ByteBuffer.allocateDirect(LeavingFile.BLOCK_BYTES);
    private int numbers;

    /**
     * Takes one more along; another of the same name is not wanted any more.
     *
     * @param replaces whether another file may be replaced by it on the target
     * @return how the target is to make it
     */
    public CarriedFile add(UsedFile use, boolean replaces) throws IOException {
        Path onNode = use.onNode();
        Path process = Path.of("/").resolve(use.link().subpath(0, 2)); // /proc/PID
        Path name = onNode == null ? process.resolve("root" + use.path()) : onNode;
        LeavingFile file = new LeavingFile(numbers++, use, name);
        LeavingFile before = files.put(use.path(), file);
        if (before != null) {
            renamed.add(before);
        }
        return file.carried(replaces);
    }

    /** A number for a directory. */
    public int nextNumber() {
        return numbers++;
    }

    /** Whether a file goes along, the one that has this name now. */
    public boolean has(UsedFile use) throws IOException {
        LeavingFile known = files.get(use.path());
        if (known == null || !known.is(use)) {
            return false;
        }
        known.use(use);
        return true;
    }

    /** How many go along. */
    public int count() {
        return files.size();
    }

    /**
     * Sends of each what is not on the target as it is here.
     *
     * @return bytes sent
     */
    public long pass(JobSink sink, Between between) throws Problem, InterruptedException {
        long bytes = 0;
        for (LeavingFile each : files.values()) {
            try {
                bytes += each.pass(sink, block, between);
            } catch (IOException e) {
                throw Problem.failed(each.use().path() + " could not be sent")
                        .because(e.getMessage())
                        .causedBy(e);
            }
        }
        return bytes;
    }

    /** As they are to be when the job is restored, after the last pass: those that have a name. */
    public List<PlacedFile> placed() throws IOException {
        List<PlacedFile> placed = new ArrayList<>();
        for (LeavingFile each : files.values()) {
            if (each.hasName()) {
                placed.add(each.placed());
            }
        }
        return placed;
    }

    /** Writes down which files of the node are to be removed here when the job has gone. */
    public void list(Path spool) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (LeavingFile each : files.values()) {
            if (each.use().onNode() != null && each.use().written()) {
                lines.append(each.line());
            }
        }
        Files.writeString(spool.resolve(LIST), lines);
    }

    /** The job has gone: removes what was written down; may be done again. */
    public static void remove(Path spool) throws IOException {
        Path list = spool.resolve(LIST);
        if (Files.exists(list)) {
            for (String line : Files.readAllLines(list, StandardCharsets.UTF_8)) {
                int blank = line.indexOf(' ');
                Path path = Path.of(line.substring(blank + 1));
                if (MadeFiles.inode(path) == Long.parseLong(line.substring(0, blank))) {
                    Files.delete(path);
                }
            }
        }
    }

    /** The number of the file that a name in the stream means; empty if it is an image's. */
    public static Optional<Integer> numberOf(String name) {
        try {
            return name.startsWith(LeavingFile.NAME)
                    ? Optional.of(Integer.parseInt(name.substring(LeavingFile.NAME.length())))
                    : Optional.empty();
        } catch (NumberFormatException e) {
            return Optional.empty(); // no image has such a name: it is refused as one
        }
    }

    @Override
    public void close() throws IOException {
        renamed.addAll(files.values());
        for (LeavingFile each : renamed) {
            each.close();
        }
        files.clear();
        renamed.clear();
    }
}
