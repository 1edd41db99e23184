package io.migrator.memory;

import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * Holds the rounds to a bandwidth on the wire, so after compression. Time in which there was less
 * to send is not made up for, but for a moment. One thread at a time.
 */
public final class Pace {
    /** As fast as it goes. */
    public static final long UNLIMITED = Long.MAX_VALUE;

    private static final double NANOS_PER_SECOND = 1e9;

    /** So much a late wake-up may make up for. */
    private static final double CREDIT_NANOS = 50e6;

    /** Between two looks whether it is over. */
    private static final double NAP_NANOS = 999_999;

    private final long bytesPerSecond;
    private final LongSupplier sentBytes;
    private final long epoch = System.nanoTime();
    private long counted;

    /** How long what was sent so far should have taken, since the epoch. */
    private double dueNanos;

    /**
     * One that begins now.
     *
     * @param bytesPerSecond at least 1; {@link #UNLIMITED} for none
     * @param sentBytes how many went over the wire so far
     */
    public Pace(long bytesPerSecond, LongSupplier sentBytes) {
        this.bytesPerSecond = bytesPerSecond;
        this.sentBytes = sentBytes;
        this.counted = sentBytes.getAsLong();
    }

    /**
     * Waits until more may be sent.
     *
     * @param over asked again and again; true ends the waiting
     */
    void await(BooleanSupplier over) throws InterruptedException {
        if (bytesPerSecond == UNLIMITED) {
            return;
        }
        long sent = sentBytes.getAsLong();
        double takesNanos = (sent - counted) * NANOS_PER_SECOND / bytesPerSecond;
        counted = sent;
        double now = System.nanoTime() - epoch;
        dueNanos = Math.max(dueNanos, now - takesNanos - CREDIT_NANOS) + takesNanos;
        while (now < dueNanos && !over.getAsBoolean()) {
            Thread.sleep(0, (int) Math.min(NAP_NANOS, dueNanos - now));
            now = System.nanoTime() - epoch;
        }
    }
}
