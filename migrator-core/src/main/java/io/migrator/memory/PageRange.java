package io.migrator.memory;

/**
 * Pages of a process that lie one behind the other.
 *
 * @param start address of the first byte, a multiple of the page size
 * @param end of the first byte behind them, another
 */
public record PageRange(long start, long end) {
    /** Length, bytes. */
    public long bytes() {
        return end - start;
    }
}
