package io.migrator.cli.bench;

import io.migrator.problem.Problem;

/** A program in an instance of its own on n1, which tells how a move looked. Used by one thread. */
interface Payload extends AutoCloseable {
    /**
     * What it saw.
     *
     * @param gapMillis the longest gap since the last look or the start; it begins anew
     * @param work done since the start, in units of its own
     * @param seconds of a clock, when that was
     */
    record Look(double gapMillis, double work, double seconds) {
        /** Work for a second since an earlier look, the longest gap left out. */
        double pace(Look before) {
            return (work - before.work) / (seconds - before.seconds - gapMillis / 1e3);
        }
    }

    /** Of its instance. */
    String name();

    /** Returns when it does its work. */
    void start() throws Problem, InterruptedException;

    /** Asks it. */
    Look look() throws Problem, InterruptedException;

    /**
     * After a move to n2.
     *
     * @throws Problem if anything of the payload is not right there
     */
    void verify() throws Problem, InterruptedException;

    /** Ends what of it is in no instance. */
    @Override
    void close();
}
