package io.migrator.files;

import io.migrator.linux.FileState;
import io.migrator.memory.JobSink;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The files of a job that go along, on the source. One thread at a time. */
public final class LeavingFiles implements AutoCloseable {
    /** Told before each block that is sent. */
    @FunctionalInterface
    public interface Between {
        /** An exception stops it. */
        void block() throws Problem, InterruptedException;
    }

    private static final int REHEARSALS = 30;
    private static final int REHEARSED_PAGES = 512;

    private final Map<String, LeavingFile> files = new LinkedHashMap<>();
    private final List<LeavingFile> replaced = new ArrayList<>();

    /** Those that were placed last. */
    private final List<LeavingFile> going = new ArrayList<>();

    private final ByteBuffer block = ByteBuffer.allocateDirect(LeavingFile.BLOCK_BYTES);
    private int numbers;

    /**
     * Takes one more along; another of the same name is not wanted any more.
     *
     * @param replaces whether another file may be replaced by it on the target
     * @return how the target is to make it
     */
    public CarriedFile add(UsedFile use, boolean replaces) throws IOException {
        LeavingFile file = new LeavingFile(numbers++, use);
        LeavingFile before = files.put(use.path(), file);
        if (before != null) {
            replaced.add(before);
        }
        return file.carried(replaces);
    }

    /**
     * Sends a file of the moment nowhere, again and again: what a JVM does for the first time takes
     * long, and none of it is to be while the job stands still.
     *
     * @param scratch an existing directory of the caller's own
     */
    public static void rehearse(Path scratch) throws IOException, Problem, InterruptedException {
        Path path = scratch.resolve("rehearsal-of-files");
        try (LeavingFiles some = new LeavingFiles();
                FileChannel file =
                        FileChannel.open(
                                path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            FileState state = FileState.of(path);
            some.add(
                    new UsedFile(
                            path.toString(), path, UsedFile.Use.MAPPABLE, "nobody", path, state),
                    false);
            for (int i = 0; i < REHEARSALS; i++) {
                for (long page = 0; page < REHEARSED_PAGES; page += 2) { // with holes between
                    ByteBuffer word = ByteBuffer.allocate(Long.BYTES).putLong(0, i + page);
                    file.write(word, page * SentPages.PAGE);
                }
                some.pass(new NoSink(), false, () -> {});
                some.placed(Path.of("/"));
            }
        } finally {
            Files.deleteIfExists(path);
        }
    }

    /** A number for a directory. */
    public int nextNumber() {
        return numbers++;
    }

    /** Whether a file goes along, the one that has this name now. */
    public boolean has(UsedFile use) {
        LeavingFile known = files.get(use.path());
        if (known == null || !known.state().isOf(use.state())) {
            return false;
        }
        known.use(use);
        return true;
    }

    /** What goes along and still has its name. */
    public List<UsedFile> uses() throws IOException {
        List<UsedFile> uses = new ArrayList<>();
        for (LeavingFile each : files.values()) {
            Path onNode = each.use().onNode();
            if (onNode == null || Mounts.named(onNode).filter(each.state()::isOf).isPresent()) {
                uses.add(each.use());
            }
        }
        return uses;
    }

    /**
     * Sends of each what is not on the target as it is here.
     *
     * @param runs whether the job does
     * @return bytes sent
     */
    public long pass(JobSink sink, boolean runs, Between between)
            throws Problem, InterruptedException {
        long bytes = 0;
        for (LeavingFile each : files.values()) {
            try {
                bytes += each.pass(sink, block, runs, between);
            } catch (IOException e) {
                throw Problem.failed(each.use().path() + " could not be sent")
                        .because(e.getMessage())
                        .causedBy(e);
            }
        }
        return bytes;
    }

    /**
     * As they are to be when the job is restored, after the last pass: those that have a name.
     *
     * @param root of the instance, as the node sees it
     */
    public List<PlacedFile> placed(Path root) throws IOException {
        List<PlacedFile> placed = new ArrayList<>();
        going.clear();
        for (LeavingFile each : files.values()) {
            Path onNode = each.use().onNode();
            boolean named =
                    onNode == null
                            ? Mounts.named(root, Path.of(each.use().path()))
                                    .filter(each.state()::isOf)
                                    .isPresent()
                            : Mounts.named(onNode).filter(each.state()::isOf).isPresent();
            if (named) {
                placed.add(each.placed());
                going.add(each);
            }
        }
        return placed;
    }

    /**
     * Writes down which files of the node are to be removed here when the job has gone: of those
     * that were placed last the ones that it may write, if they are its owner's.
     *
     * @param uid of the owner
     */
    public void list(Path spool, int uid) throws IOException {
        List<GoneFiles.Gone> gone = new ArrayList<>();
        for (LeavingFile each : going) {
            Path onNode = each.use().onNode();
            if (onNode != null && each.use().written() && each.state().uid() == uid) {
                gone.add(new GoneFiles.Gone(onNode, each.state()));
            }
        }
        GoneFiles.write(spool, gone);
    }

    /** Whether there are none. */
    public boolean isEmpty() {
        return files.isEmpty();
    }

    /** The number of the file that a name in the stream means; null if it is an image's. */
    public static @Nullable Integer numberOf(String name) {
        try {
            return name.startsWith(LeavingFile.NAME)
                    ? Integer.valueOf(name.substring(LeavingFile.NAME.length()))
                    : null;
        } catch (NumberFormatException e) {
            return null; // no image has such a name: it is refused as one
        }
    }

    @Override
    public void close() throws IOException {
        replaced.addAll(files.values());
        for (LeavingFile each : replaced) {
            each.close();
        }
        files.clear();
        replaced.clear();
    }
}
