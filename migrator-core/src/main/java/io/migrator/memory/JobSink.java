package io.migrator.memory;

import io.migrator.problem.Problem;

import java.nio.ByteBuffer;
import java.util.List;

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

    /** Of pages at several places so many bytes at once; of one place a MiB, bounds included. */
    int SCATTERED_BYTES = (1 << 20) - (16 << 10);

    /** At most at so many places. */
    int MOST_PLACES = 1024;

    /**
     * Gives pages of a process that is restored without them.
     *
     * @param pid inside the instance
     * @param places where they lie in the process, at least one
     * @param bytes of these places, one after the other, direct; the caller's again afterwards
     */
    void pages(int pid, List<PageRange> places, ByteBuffer bytes)
            throws Problem, InterruptedException;

    /**
     * Says that pages of a process that is restored without them hold nothing but zeros.
     *
     * @param pid inside the instance
     */
    void zeros(int pid, PageRange place) throws Problem, InterruptedException;

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
