package io.migrator.wire;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Decides for each block whether compressing it is worth a try. Safe for several threads; a race
 * between them costs at most one try too many or too few.
 */
final class CompressionGauge {

    /** A block is sent compressed if that saves at least one byte in this many (5 %). */
    private static final int SENDING_SAVES_ONE_IN = 20;

    /**
     * Under AUTO a block counts as a success only if it saves one byte in this many (20 %): below
     * that LZ4 costs more processor time than the cipher saves.
     */
    private static final int TRYING_SAVES_ONE_IN = 5;

    /** Most blocks sent untried between two tries: 64 MiB with full blocks. */
    private static final int MAX_SKIPPED_BLOCKS = 64;

    private final Compression compression;
    private final AtomicInteger skipsLeft = new AtomicInteger();
    private final AtomicInteger skipsAfterFailure = new AtomicInteger();

    CompressionGauge(Compression compression) {
        this.compression = compression;
    }

    /** Whether to try the next block. */
    boolean tryNext() {
        return switch (compression) {
            case NONE -> false;
            case LZ4 -> true;
            case AUTO -> skipsLeft.get() <= 0 || skipsLeft.getAndDecrement() <= 0;
        };
    }

    /**
     * Takes note of a try.
     *
     * @return whether to send the compressed form
     */
    boolean worthSending(int rawBytes, int storedBytes) {
        int savedBytes = rawBytes - storedBytes;
        if (savedBytes >= rawBytes / TRYING_SAVES_ONE_IN) {
            skipsAfterFailure.set(0);
        } else {
            skipsLeft.set(
                    skipsAfterFailure.updateAndGet(n -> Math.min(MAX_SKIPPED_BLOCKS, 2 * n + 1)));
        }
        return savedBytes > 0 && savedBytes >= rawBytes / SENDING_SAVES_ONE_IN;
    }
}
