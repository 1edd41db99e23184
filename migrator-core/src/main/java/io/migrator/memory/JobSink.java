package io.migrator.memory;

import io.migrator.problem.Problem;

import java.nio.ByteBuffer;

/** Takes the job: criu's image files, several at a time, and then pages of memory. */
public interface JobSink {
    /**
     * Begins a file.
     *
     * @param id by which the next calls name it; each id once
     * @param name of 1 to 255 letters, digits, {@code . _ -}, not starting with a dot
     */
    void open(int id, String name) throws Problem, InterruptedException;

    /**
     * Gives bytes of a file; the buffer is the caller's again afterwards.
     *
     * @param offset in the file, bytes
     */
    void data(int id, long offset, ByteBuffer bytes) throws Problem, InterruptedException;

    /**
     * Ends a file.
     *
     * @param length of the file, bytes
     */
    void end(int id, long length) throws Problem, InterruptedException;

    /**
     * Gives pages of a process that has been restored without them.
     *
     * @param pid inside the instance
     * @param address of the first byte in the process, a multiple of the page size
     * @param bytes direct, a multiple of the page size; the caller's again afterwards
     */
    void pages(int pid, long address, ByteBuffer bytes) throws Problem, InterruptedException;

    /**
     * Gives bytes that mean nothing, on the same way as pages, so that all of it is compiled before
     * the job stands still. Between prepare and the first page.
     *
     * @param bytes direct; the caller's again afterwards
     */
    void padding(ByteBuffer bytes) throws Problem, InterruptedException;

    /** Bytes that crossed to the target so far, after compression. */
    long sentBytes();
}
