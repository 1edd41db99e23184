package io.migrator.cli;

import io.migrator.problem.Problem;

/**
 * Tries again what failed by chance: a job runs on while it is looked at, and may do in the last
 * moment what it does at no other.
 */
final class Attempts {
    private static final int MOST = 3;

    private Attempts() {}

    /** Work that leaves nothing behind if it fails. */
    @FunctionalInterface
    interface Work<T> {
        T run() throws Problem, InterruptedException;
    }

    /** Returns what the first attempt returns that goes well; throws what the last one throws. */
    static <T> T of(Work<T> work) throws Problem, InterruptedException {
        for (int number = 1; ; number++) {
            try {
                return work.run();
            } catch (Problem e) {
                if (!e.passes() || number == MOST) {
                    throw e;
                }
                Terminal.err("migrator: trying again: " + e.getMessage());
            }
        }
    }
}
