package io.migrator.migration;

import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

/** Somebody's wish to stop a run, and the moment from which it comes too late. Any thread. */
final class Cancellation {
    /** The step after which nobody can cancel. */
    @FunctionalInterface
    interface LastStep {
        void run() throws Problem;
    }

    private @Nullable Thread runner;
    private boolean tooLate;
    private boolean asked;

    /** From here the calling thread can be stopped. */
    synchronized void allow() {
        runner = Thread.currentThread();
    }

    /** From here it cannot: undoing must not be cut short. */
    synchronized void forbid() {
        runner = null;
    }

    synchronized void request() {
        if (!tooLate && runner != null) {
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

    /** Takes the step, unless somebody asked before; from then on it is too late. */
    synchronized void pass(LastStep step) throws InterruptedException, Problem {
        orStop();
        step.run();
        tooLate = true;
    }
}
