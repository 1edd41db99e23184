package io.migrator.memory;

import io.migrator.linux.PidFd;
import io.migrator.linux.ProcessMemory;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Sends pages straight from the processes to the target: no image of them is ever made. One thread
 * at a time.
 */
public final class PageFeed implements AutoCloseable {
    /** Told after each block how far the feed is. */
    @FunctionalInterface
    public interface Progress {
        /** So many bytes are sent; an exception stops the feed. */
        void sent(long bytes) throws Problem, InterruptedException;
    }

    /** Takes what is sent. */
    @FunctionalInterface
    interface Sent {
        /** What lay at these places, one after the other, from the buffer's beginning. */
        void pages(List<PageRange> places, ByteBuffer bytes);
    }

    /** Fewer together are sent as they are: each costs a frame, and the target a huge page. */
    private static final int ZERO_BYTES = 64 << 10;

    /** So much is read and sent at a time. */
    private static final int BLOCK_BYTES = 1 << 20;

    private static final int MOST_RANGES = Math.min(ProcessMemory.MOST_RANGES, JobSink.MOST_PLACES);

    private final JobSink sink;
    private final Progress progress;
    private final ProcessMemory memory = new ProcessMemory();
    private final ByteBuffer block = ByteBuffer.allocateDirect(BLOCK_BYTES);
    private long sentBytes;

    /**
     * A feed that has sent nothing.
     *
     * @param progress told the bytes sent so far
     */
    public PageFeed(JobSink sink, Progress progress) {
        this.sink = sink;
        this.progress = progress;
    }

    /**
     * Sends pages of a tree that is frozen, and returns when all are written to the sink.
     *
     * @throws Problem if a page cannot be read: the tree is not what was dumped
     */
    public void send(HeldTree frozen, JobPages pages) throws Problem, InterruptedException {
        try {
            for (int pid : pages.pids()) {
                PidFd process = frozen.process(pid);
                for (List<PageRange> batch : batches(pages.of(pid).ranges())) {
                    send(pid, process, batch, (places, bytes) -> {});
                }
            }
        } catch (IOException e) {
            throw Problem.failed("the job's memory cannot be read")
                    .because(e.getMessage())
                    .tryThis("try again")
                    .causedBy(e);
        }
    }

    /**
     * Sends some ranges of pages.
     *
     * @param pid of the process inside the instance
     * @param batch as {@link #batches} makes them
     * @param done told what is sent
     * @throws IOException if a page cannot be read; none is sent then
     */
    void send(int pid, PidFd process, List<PageRange> batch, Sent done)
            throws IOException, Problem, InterruptedException {
        List<long[]> ranges = new ArrayList<>();
        int bytes = 0;
        for (PageRange each : batch) {
            ranges.add(new long[] {each.start(), each.bytes()});
            bytes += (int) each.bytes();
        }
        memory.read(process.pid(), ranges, block.clear().limit(bytes));
        if (!process.exists()) { // what was read by its pid may have been another's
            throw new IOException("process " + pid + " ended");
        }
        done.pages(batch, block);
        send(pid, batch);
        sentBytes += bytes;
        progress.sent(sentBytes);
    }

    /** What lies in the block; of many zeros only where they are. */
    private void send(int pid, List<PageRange> batch) throws Problem, InterruptedException {
        List<PageRange> rest = new ArrayList<>();
        int from = 0;
        int kept = 0;
        for (PageRange each : batch) {
            int length = (int) each.bytes();
            if (length >= ZERO_BYTES && isZero(from, length)) {
                sink.zeros(pid, each);
            } else {
                if (kept < from) {
                    block.put(kept, block, from, length);
                }
                rest.add(each);
                kept += length;
            }
            from += length;
        }
        if (!rest.isEmpty()) {
            sink.pages(pid, rest, block.slice(0, kept));
        }
    }

    private boolean isZero(int from, int length) {
        for (int at = from; at < from + length; at += Long.BYTES) {
            if (block.getLong(at) != 0) {
                return false;
            }
        }
        return true;
    }

    /**
     * What is read at a time: as many ranges as fit, cut at multiples of the size of a block, since
     * huge pages are full blocks then.
     */
    static List<List<PageRange>> batches(List<PageRange> ranges) {
        List<List<PageRange>> batches = new ArrayList<>();
        List<PageRange> batch = new ArrayList<>();
        long bytes = 0;
        for (PageRange range : ranges) {
            for (long at = range.start(); at < range.end(); ) {
                long end = Math.min((at | (BLOCK_BYTES - 1)) + 1, range.end());
                boolean fits = batch.isEmpty() || bytes + end - at <= JobSink.SCATTERED_BYTES;
                if (!fits || batch.size() == MOST_RANGES) {
                    batches.add(batch);
                    batch = new ArrayList<>();
                    bytes = 0;
                }
                batch.add(new PageRange(at, end));
                bytes += end - at;
                at = end;
            }
        }
        if (!batch.isEmpty()) {
            batches.add(batch);
        }
        return batches;
    }

    /** Bytes sent so far, before compression. */
    public long sentBytes() {
        return sentBytes;
    }

    @Override
    public void close() {
        memory.close();
    }
}
