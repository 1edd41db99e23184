package io.migrator.memory;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.util.concurrent.atomic.AtomicLong;

class PaceTest {
    private static final long RATE = 10_000_000;
    private static final int BLOCK = 100_000;

    private final AtomicLong sent = new AtomicLong();

    private static double secondsSince(long nanos) {
        return (System.nanoTime() - nanos) / 1e9;
    }

    @Test
    void whatIsSentTakesItsTime() throws InterruptedException {
        Pace pace = new Pace(RATE, sent::get);
        long start = System.nanoTime();
        for (int i = 0; i < 20; i++) {
            sent.addAndGet(BLOCK);
            pace.await(() -> false);
        }
        double seconds = secondsSince(start);
        assertTrue(seconds >= 0.13, () -> seconds + " s for 2 MB at 10 MB/s");
    }

    /** Else all of a round could go at once after a pause. */
    @Test
    void aPauseIsNotMadeUpFor() throws InterruptedException {
        Pace pace = new Pace(RATE, sent::get);
        Thread.sleep(300);
        long start = System.nanoTime();
        for (int i = 0; i < 20; i++) {
            sent.addAndGet(BLOCK);
            pace.await(() -> false);
        }
        double seconds = secondsSince(start);
        assertTrue(seconds >= 0.13, () -> seconds + " s");
    }

    @Test
    void nobodyWaitsForWhatIsOver() throws InterruptedException {
        Pace pace = new Pace(1, sent::get);
        sent.addAndGet(1L << 40);
        pace.await(() -> true); // else for 30000 years
    }

    @Test
    void whatIsNotLimitedDoesNotWait() throws InterruptedException {
        Pace pace = new Pace(Pace.UNLIMITED, sent::get);
        sent.addAndGet(Long.MAX_VALUE);
        pace.await(() -> false);
    }
}
