package io.migrator.memory;

import io.migrator.instance.ProcessTree;
import io.migrator.linux.ProcessMemory;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.OptionalLong;

/**
 * Sends pages straight from the frozen processes to the target: no image of them is ever made. One
 * thread, one use.
 */
public final class PageFeed implements AutoCloseable {
    /** Told after each block how far the feed is. */
    @FunctionalInterface
    public interface Progress {
        /** So many bytes are sent; an exception stops the feed. */
        void sent(long bytes) throws Problem, InterruptedException;
    }

    private static final int BLOCK_BYTES = 1 << 20;

    private final HeldTree processes;
    private final JobSink sink;
    private final Progress progress;
    private final ProcessMemory memory = new ProcessMemory();
    private final ByteBuffer block = ByteBuffer.allocateDirect(BLOCK_BYTES);
    private long sentBytes;

    /**
     * A feed of a tree that is frozen.
     *
     * @param progress told the bytes sent so far
     */
    public PageFeed(ProcessTree tree, JobSink sink, Progress progress) throws IOException {
        this.processes = new HeldTree(tree);
        this.sink = sink;
        this.progress = progress;
    }

    /**
     * Sends the given pages, and returns when all are written to the sink.
     *
     * @return how many bytes that were
     * @throws Problem if a page cannot be read: the tree is not what was dumped
     */
    public long send(HiddenPages pages) throws Problem, InterruptedException {
        try {
            pages.forEach(this::send);
            return sentBytes;
        } catch (IOException e) {
            throw Problem.failed("the job's memory cannot be read")
                    .because(e.getMessage())
                    .causedBy(e);
        }
    }

    private void send(int pid, long start, long end)
            throws IOException, Problem, InterruptedException {
        OptionalLong process = processes.pid(pid);
        if (process.isEmpty()) {
            throw Problem.failed("the job changed while it was looked at")
                    .because("process " + pid + " came meanwhile")
                    .tryThis("try again");
        }
        for (long at = start; at < end; at += block.limit()) {
            block.clear().limit((int) Math.min(BLOCK_BYTES, end - at));
            memory.read(process.getAsLong(), at, block);
            processes.orEnded(pid);
            sink.pages(pid, at, block);
            sentBytes += block.limit();
            progress.sent(sentBytes);
        }
    }

    @Override
    public void close() {
        processes.close();
        memory.close();
    }
}
