package io.migrator.cli.bench;

import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.util.List;

/** A program on the source, which tells how a move looked. Used by one thread. */
interface Payload extends AutoCloseable {
    /**
     * What was seen.
     *
     * @param gapMillis the payload's own longest gap since the last look or the start; it begins
     *     anew
     * @param silenceMillis the longest time in which its client heard nothing; null without one
     * @param work done since the start, in units of its own
     * @param seconds of a clock, when that was
     */
    record Look(double gapMillis, @Nullable Double silenceMillis, double work, double seconds) {
        /** Work for a second since an earlier look, the longest gap left out. */
        double pace(Look before) {
            return (work - before.work) / (seconds - before.seconds - gapMillis / 1e3);
        }
    }

    /** Starts a program as a job of the payload's name. */
    @FunctionalInterface
    interface Starter {
        /**
         * Starts it.
         *
         * @param options of {@code migrator run}
         */
        void start(List<String> options, List<String> words) throws Problem, InterruptedException;
    }

    /** Of its job. */
    String name();

    /** Returns when it does its work. */
    void start(Starter starter) throws Problem, InterruptedException;

    /** Asks it. */
    Look look() throws Problem, InterruptedException;

    /**
     * After a move to the target.
     *
     * @throws Problem if anything of the payload is not right there
     */
    void verify() throws Problem, InterruptedException;

    /** Ends what of it is no part of the job. */
    @Override
    void close();
}
