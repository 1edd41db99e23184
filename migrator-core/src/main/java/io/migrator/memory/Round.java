package io.migrator.memory;

/**
 * A pre-copy round: what was written since the one before was sent while the job ran.
 *
 * @param bytes of pages, before compression
 * @param millis from its scan until all was written to the target
 * @param pausedMillis of these, nothing was sent: waited to keep to a bandwidth, or looked where
 *     that is quick
 */
public record Round(long bytes, double millis, double pausedMillis) {
    /** What it would have taken had it not waited, as in the freeze. */
    double sendingMillis() {
        return millis - pausedMillis;
    }

    /** How many pages that were. */
    public long pages() {
        return bytes / PageSet.PAGE_BYTES;
    }
}
