package io.migrator.it;

import java.util.concurrent.atomic.AtomicLong;

/** What stops all programs of the machine for a while stops this one's thread as well. */
final class StallWatch {
    private static final double NANOS_PER_MILLI = 1e6;

    private final AtomicLong longest = new AtomicLong();

    private StallWatch() {}

    /** One that watches until the end of the tests. */
    static StallWatch start() {
        StallWatch watch = new StallWatch();
        Thread.ofPlatform().daemon().name("stalls").start(watch::watch);
        return watch;
    }

    private void watch() {
        for (long before = System.nanoTime(); ; ) {
            try {
                Thread.sleep(1);
            } catch (InterruptedException e) {
                return;
            }
            long now = System.nanoTime();
            long gap = now - before;
            longest.accumulateAndGet(gap, Math::max);
            before = now;
        }
    }

    /** The longest time between two ticks since the last call, in milliseconds. */
    double longestMillis() {
        return longest.getAndSet(0) / NANOS_PER_MILLI;
    }
}
