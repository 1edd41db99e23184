package io.migrator.memory;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * Knows which pages of one process were written, while it runs. What it cannot tell it counts as
 * written: a page too many costs time, one too few the job. One thread at a time, not always the
 * same.
 */
sealed interface WriteTracker extends AutoCloseable permits WriteProtection, HashCompare {
    /**
     * To be called before the calls of {@link #written} that together look at all addresses.
     *
     * @throws IOException if the process is gone
     */
    void begin() throws IOException;

    /**
     * The pages of the process's private areas that exist and may have been written since the last
     * call for them; at the first call, all. What is written from here on is told by the next.
     *
     * @param within to look at these addresses only
     * @param known pages that were copied; what may have been written, or cannot be told any more,
     *     is taken out, whether it exists or not
     * @throws IOException if the process is gone
     */
    PageSet written(PageRange within, PageSet known) throws IOException;

    /**
     * Whether looking takes so little that in the freeze, beside criu's dump, it does not count.
     */
    boolean isQuick();

    /**
     * What of that it watches was written since the last call of {@link #written}. Changes nothing.
     *
     * @return empty if to tell it takes as long as that call
     */
    Optional<PageSet> foreseen() throws IOException;

    /**
     * Told of what was sent: the known pages are on the target as they are here.
     *
     * @param places where they lie
     * @param pages what they hold, one after the other, from the buffer's beginning
     */
    void sent(List<PageRange> places, ByteBuffer pages);

    /**
     * From here on nothing in the process may be changed: it is about to be dumped. Returns when
     * nothing is. Any thread.
     */
    void freeze();

    /** The process was dumped, and runs on here; the next call of {@link #written} may come. */
    void thaw();

    /**
     * Takes out of the known pages all that may have been written since the last call of {@link
     * #written}. Changes nothing else.
     *
     * @return those that are certain to have been written and exist
     * @throws IOException if it cannot be told
     */
    PageSet keepUnwritten(PageSet known) throws IOException;

    /**
     * Fails if the process's memory may be written in a way that this does not see. To be asked
     * after {@link #written}: what was under way meanwhile is still to be seen then.
     *
     * @throws IOException that says by what
     */
    void orBlind() throws IOException;

    /** After {@link #close}, of a process that goes on here: makes good what the watch cost it. */
    void mend();

    /** Ends all of it; the process has nothing of it afterwards. */
    @Override
    void close();
}
