package io.migrator.memory;

import java.io.IOException;

/**
 * Knows which pages of one process were written, while it runs. What it cannot tell it counts as
 * written: a page too many costs time, one too few the job. One thread at a time.
 */
sealed interface WriteTracker extends AutoCloseable permits WriteProtection {
    /**
     * The pages of the process's private areas that exist and may have been written since the last
     * call; at the first call, all. What is written from here on is told by the next.
     *
     * @throws IOException if the process is gone
     */
    PageSet written() throws IOException;

    /**
     * The pages that were not written since the last call of {@link #written} and were told by that
     * or an earlier one, if they were told at all. Changes nothing.
     *
     * @throws IOException if it cannot be told
     */
    PageSet unwritten() throws IOException;

    /** Ends all of it; the process has nothing of it afterwards. */
    @Override
    void close();
}
