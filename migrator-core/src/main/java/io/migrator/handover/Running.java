package io.migrator.handover;

import io.migrator.linux.PidFd;
import io.migrator.linux.Proc;

import java.io.IOException;
import java.time.Duration;

/**
 * A process that a journal names.
 *
 * @param pid as seen from the node
 * @param startTime with the pid its identity (field 22 of /proc/PID/stat)
 */
public record Running(long pid, long startTime) {
    private static final int LOOK_MILLIS = 5;

    /** No process. */
    public static final Running NONE = new Running(0, 0);

    /** A process that runs now. */
    public static Running of(Proc process) throws IOException {
        return new Running(process.pid(), process.startTime());
    }

    /** Returns true if it runs on. */
    public boolean alive() {
        Proc process = new Proc(pid);
        try {
            return pid > 0 && process.alive() && process.startTime() == startTime;
        } catch (IOException e) {
            return false;
        }
    }

    /** Waits for its end; returns false if it runs on at the limit. */
    public boolean awaitEnd(Duration limit) throws InterruptedException {
        long end = System.nanoTime() + limit.toNanos();
        while (alive()) {
            if (System.nanoTime() > end) {
                return false;
            }
            Thread.sleep(LOOK_MILLIS);
        }
        return true;
    }

    /** Kills it, if it runs, and waits for its end. */
    public boolean kill(Duration limit) throws IOException, InterruptedException {
        if (alive()) {
            try (PidFd held = PidFd.open(pid)) {
                if (alive()) { // the pidfd is of the same process, for it lives
                    held.send(PidFd.Signal.KILL);
                }
            }
        }
        return awaitEnd(limit);
    }
}
