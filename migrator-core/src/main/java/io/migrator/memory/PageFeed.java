package io.migrator.memory;

import io.migrator.linux.PidFd;
import io.migrator.linux.ProcessMemory;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Sends pages straight from the processes to the target: no image of them is ever made. One thread.
 */
public final class PageFeed implements AutoCloseable {
    /** Told after each block how far the feed is. */
    @FunctionalInterface
    public interface Progress {
        /** So many bytes are sent; an exception stops the feed. */
        void sent(long bytes) throws Problem, InterruptedException;
    }

    /** So much is read and sent at a time. */
    static final int BLOCK_BYTES = 1 << 20;

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
                for (PageRange range : pages.of(pid).ranges()) {
                    send(pid, process, range, new PageSet());
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
     * Sends a range of pages.
     *
     * @param pid of the process inside the instance
     * @param done gets what is sent
     * @throws IOException if a page cannot be read; what is done is sent
     */
    void send(int pid, PidFd process, PageRange range, PageSet done)
            throws IOException, Problem, InterruptedException {
        for (long at = range.start(); at < range.end(); at += block.limit()) {
            block.clear().limit((int) Math.min(BLOCK_BYTES, range.end() - at));
            memory.read(process.pid(), at, block);
            if (!process.exists()) { // what was read by its pid may have been another's
                throw new IOException("process " + pid + " ended");
            }
            sink.pages(pid, at, block);
            done.add(at, at + block.limit());
            sentBytes += block.limit();
            progress.sent(sentBytes);
        }
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
