package io.migrator.cli.bench;

import io.migrator.linux.Memory;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

/**
 * What a move takes: processor time of both nodes, and in the lab memory of both. Looks at the
 * memory on a thread of its own until it is closed.
 */
final class Meter implements AutoCloseable {
    private static final int POLL_MILLIS = 20;

    private final Site site;
    private final double busyBefore;
    private final long availableBefore;
    private final long startNanos = System.nanoTime();
    private final Thread poller;
    private volatile long least;

    Meter(Site site) throws Problem, InterruptedException {
        this.site = site;
        availableBefore = site.isHere() ? Memory.availableBytes() : 0;
        least = availableBefore;
        busyBefore = site.cpuSeconds();
        poller = Thread.ofPlatform().daemon().name("meter").start(this::poll);
    }

    private void poll() {
        try {
            while (site.isHere()) {
                least = Math.min(least, Memory.availableBytes());
                Thread.sleep(POLL_MILLIS);
            }
        } catch (Problem | InterruptedException e) {
            // it is as far as it came
        }
    }

    /** Processor seconds of both nodes since the start. */
    double busy() throws Problem, InterruptedException {
        return site.cpuSeconds() - busyBefore;
    }

    /** Seconds since the start. */
    double seconds() {
        return (System.nanoTime() - startNanos) / 1e9;
    }

    /** The most memory that was taken since the start, bytes; null where it is not seen. */
    @Nullable Double takenBytes() {
        return site.isHere() ? (double) (availableBefore - least) : null;
    }

    @Override
    public void close() {
        poller.interrupt();
    }
}
