package io.migrator.memory;

import io.migrator.linux.UserFault;
import io.migrator.linux.UserFault.Filled;
import io.migrator.linux.UserFault.Outcome;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.List;

/**
 * The address space of a job's process, or of a child that was forked since, and what it lacks. Not
 * safe for use by several threads at once.
 */
final class LateSpace {
    /** A page that a program hardly has; it is asked for what has ended. */
    private static final PageRange PROBE = new PageRange(1 << 16, (1 << 16) + PageSet.PAGE_BYTES);

    private final int number;
    private final int pid;
    private final UserFault memory;
    private final LateLog log;

    /** All that is late, by the addresses on the source. */
    private final PageSet late;

    /** What has not come, by the addresses on the source. */
    private final PageSet lacks;

    private final Moves moves;

    /** Its process has ended. */
    private boolean gone;

    private boolean closed;

    /** Fills pages. */
    @FunctionalInterface
    interface Filling {
        /** Fills a run of pages, which lie at an address now. */
        Filled fill(UserFault memory, long now, PageRange run) throws IOException;
    }

    /**
     * One of a process's.
     *
     * @param number of it in the log
     * @param pid inside the instance, of the process whose memory on the source it is
     * @param memory this object's from now on
     * @param late not to be changed any more
     * @param lacks this object's from now on; so are the moves
     */
    LateSpace(
            int number,
            int pid,
            UserFault memory,
            LateLog log,
            PageSet late,
            PageSet lacks,
            Moves moves) {
        this.number = number;
        this.pid = pid;
        this.memory = memory;
        this.log = log;
        this.late = late;
        this.lacks = lacks;
        this.moves = moves;
    }

    /** A child's, as it is at the fork. */
    LateSpace fork(int childNumber, UserFault child) {
        PageSet theirs = lacks.copy();
        return new LateSpace(childNumber, pid, child, log, late, theirs, new Moves(moves));
    }

    int number() {
        return number;
    }

    int pid() {
        return pid;
    }

    /** Stays this object's. */
    UserFault memory() {
        return memory;
    }

    /** Whether its process has ended. */
    boolean isGone() {
        return gone;
    }

    /** How much it lacks. */
    long missingBytes() {
        return gone ? 0 : lacks.bytes();
    }

    static PageRange page(long address) {
        return new PageRange(address, address + PageSet.PAGE_BYTES);
    }

    /** The job moved some of it; what was at the new place is gone. */
    void moved(long from, long to, long bytes) throws IOException {
        drop(moves.before(new PageRange(to, to + bytes)));
        List<PageRange> came = moves.before(new PageRange(from, from + bytes));
        if (came.stream().anyMatch(late::hasAny)) {
            moves.add(from, to, bytes);
            log.move(number, from, to, bytes);
        }
        memory.wake(from, bytes);
    }

    /** The job gave some of it back. */
    void removed(PageRange range) throws IOException {
        drop(moves.before(range));
        memory.wake(range.start(), range.bytes()); // who waits there: nothing comes any more
    }

    /** Some was unmapped; perhaps another thread has moved something there since. */
    void unmapped(PageRange range) throws IOException {
        drop(moves.unmoved(range));
        memory.wake(range.start(), range.bytes());
    }

    /** Also what has come: it may be sent again. */
    private void drop(List<PageRange> ranges) throws IOException {
        for (PageRange each : ranges) {
            if (late.hasAny(each)) {
                lacks.remove(each.start(), each.end());
                log.drop(number, each);
            }
        }
    }

    /** The page on the source that is lacking at an address; null if none is. */
    @Nullable PageRange missingAt(long address) {
        for (PageRange before : moves.before(page(address))) { // one, or none
            if (lacks.hasAny(before)) {
                return before;
            }
        }
        return null;
    }

    /**
     * What never was is zeros.
     *
     * @return false if it is to be tried again
     */
    boolean zero(long address) throws IOException {
        switch (memory.zero(address, PageSet.PAGE_BYTES).outcome()) {
            case DONE -> {}
            case THERE, UNMAPPED -> memory.wake(address, PageSet.PAGE_BYTES);
            case GONE -> gone = true;
            case CHANGING, NO_MEMORY -> {
                return false;
            }
        }
        return true;
    }

    /** Of a range the first pages that it lacks, and that lie side by side now, too. */
    @Nullable PageRange next(long start, long end) {
        PageSet some = new PageSet();
        some.addAll(lacks, new PageRange(start, end));
        List<PageRange> runs = gone ? List.of() : some.ranges();
        if (runs.isEmpty()) {
            return null;
        }
        PageRange first = runs.getFirst();
        return moves.isEmpty() ? first : page(first.start());
    }

    /**
     * Fills a run of pages that it lacks.
     *
     * @return how much of it is done with, and CHANGING or NO_MEMORY if the rest is to be tried
     *     again as it is
     */
    Filled fill(PageRange run, Filling filling) throws IOException {
        Filled filled = filling.fill(memory, moves.now(run.start()), run);
        long behind = run.start() + filled.bytes();
        lacks.remove(run.start(), behind);
        switch (filled.outcome()) {
            case DONE, CHANGING, NO_MEMORY -> {}
            case THERE -> {
                lacks.remove(behind, behind + PageSet.PAGE_BYTES);
                memory.wake(moves.now(behind), PageSet.PAGE_BYTES);
            }
            case UNMAPPED -> lacks.remove(behind, behind + PageSet.PAGE_BYTES);
            case GONE -> gone = true;
        }
        return filled;
    }

    /** Nobody tells that a process has ended. */
    void look() throws IOException {
        if (gone) {
            close();
        } else if (!lacks.hasAny(PROBE) && moves.isEmpty()) {
            gone = memory.zero(PROBE.start(), PROBE.bytes()).outcome() == Outcome.GONE;
        }
    }

    /** By the thread that waits for events, or when that has ended. */
    void close() {
        gone = true;
        if (!closed) {
            closed = true;
            memory.close();
        }
    }
}
