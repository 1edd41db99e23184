package io.migrator.migration;

import org.jspecify.annotations.Nullable;

/** Somebody's wish to stop the thread that makes it, until it is too late. Any thread. */
final class Cancellation {
    private @Nullable Thread runner = Thread.currentThread();
    private boolean asked;

    synchronized void request() {
        if (runner != null) {
            asked = true;
            runner.interrupt();
        }
    }

    synchronized boolean asked() {
        return asked;
    }

    /** An interrupt alone could be lost: not all that waits tells of it. */
    synchronized void orStop() throws InterruptedException {
        if (asked || Thread.interrupted()) {
            throw new InterruptedException();
        }
    }

    /** From here it comes too late: what follows must not be cut short. */
    synchronized void end() {
        runner = null;
    }

    /** The same, unless somebody asked before. */
    synchronized void endOrStop() throws InterruptedException {
        orStop();
        end();
    }
}
