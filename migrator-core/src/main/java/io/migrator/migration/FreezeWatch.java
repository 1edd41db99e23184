package io.migrator.migration;

import io.migrator.linux.Proc;

import java.io.IOException;

/**
 * Notes the moment at which a process is first seen in ptrace-stop: criu says only how long its own
 * part took. Polls on a thread of its own until then or until closed.
 */
final class FreezeWatch implements AutoCloseable {
    private static final int POLL_NANOS = 200_000;

    private final Proc process;
    private final Thread poller;
    private volatile long frozenNanos;

    FreezeWatch(Proc process) {
        this.process = process;
        this.poller = Thread.ofPlatform().daemon().name("freeze watch").start(this::poll);
    }

    /** When it froze ({@link System#nanoTime}); now, if it was not seen to. */
    long frozenNanos() {
        return frozenNanos == 0 ? System.nanoTime() : frozenNanos;
    }

    private void poll() {
        try {
            while (process.state() != 't') {
                Thread.sleep(0, POLL_NANOS);
            }
            frozenNanos = System.nanoTime();
        } catch (IOException | InterruptedException e) {
            // gone, or nobody waits any more
        }
    }

    @Override
    public void close() {
        poller.interrupt();
    }
}
