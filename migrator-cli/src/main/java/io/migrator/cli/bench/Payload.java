package io.migrator.cli.bench;

import io.migrator.problem.Problem;

/** A program in an instance of its own on n1, which tells how a move looked. Used by one thread. */
interface Payload extends AutoCloseable {
    /** Of its instance. */
    String name();

    /** Returns when it does its work. */
    void start() throws Problem, InterruptedException;

    /** The longest gap since the last reset or the start, milliseconds; it begins anew. */
    double reset() throws Problem, InterruptedException;

    /**
     * The same after a move to n2.
     *
     * @throws Problem if anything of the payload is not right there
     */
    double verify() throws Problem, InterruptedException;

    /** Ends what of it is in no instance. */
    @Override
    void close();
}
