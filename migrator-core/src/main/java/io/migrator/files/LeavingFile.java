package io.migrator.files;

import io.migrator.files.LeavingFiles.Between;
import io.migrator.linux.DataExtents;
import io.migrator.linux.ExtendedAttributes;
import io.migrator.linux.FileState;
import io.migrator.linux.FileSystem;
import io.migrator.linux.HeldFile;
import io.migrator.memory.JobSink;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;

/**
 * A file of a job on its way: sent whole once, and then in each pass what has changed. Held open,
 * so that it stays this very file whatever becomes of its name. One thread at a time.
 */
final class LeavingFile implements AutoCloseable {
    /**
     * Of the times of a file, on kernels before 6.13 a jiffy; and what a program's clock may lag.
     */
    private static final Duration GRAIN = Duration.ofMillis(50);

    static final int BLOCK_BYTES = SentPages.BLOCK_BYTES;

    /** Of the files in the stream; criu's images have lower ids. */
    private static final int FIRST_ID = 1 << 20;

    /** Of the files in the stream, before the number. */
    static final String NAME = "carried-";

    private final int number;
    private final HeldFile held;
    private final FileChannel channel;

    /** Whether its times may say nothing of writes through mappings. */
    private final boolean silent;

    private final SentPages sent = new SentPages();
    private UsedFile use;

    /** As it was when it was opened, and then just before the last pass. */
    private FileState state;

    private Instant passed = Instant.MIN;
    private Map<String, String> attributes = Map.of();

    /** In the last pass. */
    private long size;

    /**
     * Opens it.
     *
     * @param number by which the target knows it
     */
    LeavingFile(int number, UsedFile use) throws IOException {
        this.number = number;
        this.use = use;
        this.held = HeldFile.open(use.link());
        boolean opened = false;
        try {
            this.state = held.state();
            if (!state.isOf(use.state())) {
                throw new IOException(use.path() + " is another file by now");
            }
            this.silent = !FileSystem.of(held.file()).keepsTimes();
            this.channel = FileChannel.open(held.file(), StandardOpenOption.READ);
            opened = true;
        } finally {
            if (!opened) {
                held.close();
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

    /** As it was in the last pass. */
    FileState state() {
        return state;
    }

    /** How the target is to make it. */
    CarriedFile carried(boolean replaces) {
        Path path = use.onNode();
        return new CarriedFile(
                number,
                path == null,
                path == null ? use.path() : path.toString(),
                CarriedFile.Kind.FILE,
                "",
                state.permissions(),
                state.uid(),
                state.gid(),
                replaces);
    }

    /** How it is to be when the job is restored: as it was in the last pass. */
    PlacedFile placed() {
        return PlacedFile.of(number, state, size, attributes, null);
    }

    int number() {
        return number;
    }

    /**
     * Sends what is not on the target as it is here.
     *
     * <p>Of a file that may be mapped the kernel is first told to write it back: then it notes the
     * time of the next write through a mapping, too (mm/memory.c, page_mkwrite), which it does only
     * for pages that are clean. In memory nothing is ever clean: such a file is always compared.
     *
     * @param block direct, of {@link #BLOCK_BYTES}; nobody's afterwards
     * @param runs whether the job does
     * @return bytes sent
     */
    long pass(JobSink sink, ByteBuffer block, boolean runs, Between between)
            throws IOException, Problem, InterruptedException {
        Instant now = Instant.now();
        boolean mappable = use.use().isMappable();
        if (runs && mappable && !silent) {
            channel.force(false);
        }
        FileState seen = held.state();
        boolean was = seen.equals(state) && state.changed().plus(GRAIN).isBefore(passed);
        state = seen;
        if (!was) { // a change of them is one of the file
            attributes = ExtendedAttributes.of(held.file());
        }
        if (was && !(mappable && silent)) {
            return 0;
        }
        passed = now;
        sink.open(id(), NAME + number);
        size = channel.size(); // what is written behind it meanwhile goes next time
        long bytes = 0;
        long end = 0;
        for (DataExtents.Extent each : DataExtents.of(held)) {
            bytes += hole(end, Math.min(each.start(), size), sink, block, between);
            end = Math.min(each.end(), size);
            bytes += part(each.start(), end, sink, block, between);
        }
        bytes += hole(end, size, sink, block, between);
        sent.cut(size);
        sink.end(id(), size);
        return bytes;
    }

    private int id() {
        return FIRST_ID + number;
    }

    private long hole(long start, long end, JobSink sink, ByteBuffer block, Between between)
            throws IOException, Problem, InterruptedException {
        long bytes = 0;
        if (start < end) {
            for (long each : sent.blocks(start, end)) {
                long from = Math.max(start, each);
                bytes += part(from, Math.min(end, each + BLOCK_BYTES), sink, block, between);
            }
        }
        return bytes;
    }

    private long part(long start, long end, JobSink sink, ByteBuffer block, Between between)
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
                bytes += send(block, from, Math.min(i, filled), at, sink);
                from = i + SentPages.PAGE;
            } else if (i + length == filled) {
                return bytes + send(block, from, filled, at, sink);
            }
        }
        return bytes;
    }

    private long send(ByteBuffer block, int from, int to, long at, JobSink sink)
            throws Problem, InterruptedException {
        if (to <= from) {
            return 0;
        }
        sink.data(id(), at + from, block.slice(from, to - from));
        return (long) to - from;
    }

    @Override
    public void close() throws IOException {
        channel.close();
        held.close();
    }
}
