package io.migrator.memory;

/**
 * Pages of a process that lie one behind the other.
 *
 * @param start address of the first byte, a multiple of the page size
 * @param end of the first byte behind them, another
 */
public record PageRange(long start, long end) {
    /** All addresses. */
    static final PageRange ALL = new PageRange(0, Long.MAX_VALUE);

    /** Length, bytes. */
    public long bytes() {
        return end - start;
    }

    /** What lies in another one, too; empty if nothing does. */
    PageRange within(PageRange other) {
        long from = Math.max(start, other.start);
        return new PageRange(from, Math.max(from, Math.min(end, other.end)));
    }
}
