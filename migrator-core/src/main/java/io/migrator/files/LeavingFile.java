package io.migrator.files;

import io.migrator.linux.DataExtents;
import io.migrator.linux.FileState;
import io.migrator.linux.FileSystem;
import io.migrator.memory.JobSink;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;

/**
 * A file of a job on its way: sent whole once, and then in each pass what has changed. Held open,
 * so that it stays this very file whatever becomes of its name. One thread at a time.
 */
final class LeavingFile implements AutoCloseable {
    /**
     * Of the times of a file, on kernels before 6.13 a jiffy; and what a program's clock may lag.
     */
    private static final Duration GRAIN = Duration.ofMillis(50);

    static final int BLOCK_BYTES = 1 << 20;

    /** Of the files in the stream; criu's images have lower ids. */
    static final int FIRST_ID = 1 << 20;

    /** Of the files in the stream, before the number. */
    static final String NAME = "carried-";

    private final int number;
    private final Path name;
    private final long inode;
    private final DataExtents extents;
    private final FileChannel channel;
    private final boolean inMemory;
    private final SentPages sent = new SentPages();
    private UsedFile use;

    /** As it was when it was opened, and then just before the last pass. */
    private FileState state;

    private Instant passed = Instant.EPOCH;

    /** In the last pass. */
    private long size;

    /**
     * Opens it.
     *
     * @param number by which the target knows it
     * @param name by which it can be found here
     */
    LeavingFile(int number, UsedFile use, Path name) throws IOException {
        this.number = number;
        this.use = use;
        this.name = name;
        this.extents = DataExtents.of(use.link());
        boolean opened = false;
        try {
            this.state = FileState.of(extents.file());
            this.inode = state.inode();
            this.inMemory = FileSystem.of(extents.file()).isInMemory();
            this.channel = FileChannel.open(extents.file(), StandardOpenOption.READ);
            opened = true;
        } finally {
            if (!opened) {
                extents.close();
            }
        }
    }

    UsedFile use() {
        return use;
    }

    /** How it is used now. */
    void use(UsedFile now) {
        use = use.and(now);
    }

    /** Whether it is the file that is used. */
    boolean is(UsedFile other) throws IOException {
        return (Long) Files.getAttribute(other.link(), "unix:ino") == inode;
    }

    /** Whether its name still leads to it. */
    boolean hasName() throws IOException {
        return MadeFiles.inode(name) == inode;
    }

    /** By which it is known when the job has gone. */
    String line() {
        return inode + " " + name + "\n";
    }

    /** How the target is to make it. */
    CarriedFile carried(boolean replaces) {
        Path path = use.onNode();
        return new CarriedFile(
                number,
                path == null,
                path == null ? use.path() : path.toString(),
                false,
                state.permissions(),
                state.uid(),
                state.gid(),
                replaces);
    }

    /** How it is to be when the job is restored: as it was in the last pass. */
    PlacedFile placed() {
        return new PlacedFile(
                number,
                state.permissions(),
                state.uid(),
                state.gid(),
                state.modified().getEpochSecond(),
                state.modified().getNano(),
                size);
    }

    /**
     * Sends what is not on the target as it is here.
     *
     * @param block direct, of {@link #BLOCK_BYTES}; nobody's afterwards
     * @return bytes sent
     */
    long pass(JobSink sink, ByteBuffer block, LeavingFiles.Between between)
            throws IOException, Problem, InterruptedException {
        Instant now = Instant.now();
        FileState seen = FileState.of(extents.file());
        // through a mapping a file may be written to without any sign of it
        boolean silent = inMemory || use.use() == UsedFile.Use.MAPPED;
        boolean was = seen.equals(state) && state.modified().plus(GRAIN).isBefore(passed);
        state = seen;
        if (was && !silent) {
            return 0;
        }
        passed = now;
        sink.open(id(), NAME + number);
        size = channel.size(); // what is written behind it meanwhile goes next time
        long bytes = 0;
        long end = 0;
        for (DataExtents.Extent each : extents.now()) {
            bytes += hole(end, Math.min(each.start(), size), sink, block, between);
            end = Math.min(each.end(), size);
            bytes += part(each.start(), end, sink, block, between);
        }
        bytes += hole(end, size, sink, block, between);
        sent.cut((size + SentPages.PAGE - 1) / SentPages.PAGE);
        sink.end(id(), size);
        return bytes;
    }

    private int id() {
        return FIRST_ID + number;
    }

    private long hole(
            long start, long end, JobSink sink, ByteBuffer block, LeavingFiles.Between between)
            throws IOException, Problem, InterruptedException {
        long endPage = (end + SentPages.PAGE - 1) / SentPages.PAGE;
        return sent.anyOf(start / SentPages.PAGE, endPage)
                ? part(start, end, sink, block, between)
                : 0;
    }

    private long part(
            long start, long end, JobSink sink, ByteBuffer block, LeavingFiles.Between between)
            throws IOException, Problem, InterruptedException {
        long bytes = 0;
        long at = start - start % SentPages.PAGE;
        while (at < end) {
            between.block();
            long wholePages = end + (-end & (SentPages.PAGE - 1));
            long stop = Math.min(Math.min(at + BLOCK_BYTES, wholePages), size);
            block.clear().limit((int) (stop - at));
            while (block.hasRemaining() && channel.read(block, at + block.position()) > 0) {}
            if (block.position() == 0) {
                return bytes; // it is shorter by now
            }
            bytes += news(block.flip(), at, sink);
            at = stop;
        }
        return bytes;
    }

    /** Sends those pages of a block that are news, those that lie together at once. */
    private long news(ByteBuffer block, long at, JobSink sink)
            throws Problem, InterruptedException {
        int filled = block.limit();
        int from = 0;
        long bytes = 0;
        for (int i = 0; i <= filled; i += SentPages.PAGE) {
            int length = Math.min(SentPages.PAGE, filled - i);
            boolean isNews = length > 0 && sent.isNews((at + i) / SentPages.PAGE, block, i, length);
            if (!isNews) {
                int upTo = Math.min(i, filled);
                if (upTo > from) {
                    sink.data(id(), at + from, block.slice(from, upTo - from));
                    bytes += upTo - from;
                }
                from = i + SentPages.PAGE;
            } else if (i + length == filled) {
                sink.data(id(), at + from, block.slice(from, filled - from));
                return bytes + filled - from;
            }
        }
        return bytes;
    }

    @Override
    public void close() throws IOException {
        channel.close();
        extents.close();
    }
}
