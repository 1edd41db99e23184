package io.migrator.cli.bench;

import io.migrator.problem.Problem;

import java.util.Map;

/** A way to move a {@link Payload} from one node of the lab to the other. Used by one thread. */
sealed interface Way permits MigratorWay, ByHandWay {
    /** In words, for tables. */
    String name();

    /** What is done beforehand, while the payload runs. */
    void prepare(Payload payload) throws Problem, InterruptedException;

    /** Moves it. */
    Told move(Payload payload) throws Problem, InterruptedException;

    /** Ends the payload, wherever it is, and removes what the way left on both nodes. */
    void clean(Payload payload) throws Problem, InterruptedException;

    /**
     * What the tools themselves say of a move.
     *
     * @param frozenMillis for how long they say that the payload stood still
     * @param totalMillis from the command to its end
     * @param sentBytes over the network
     * @param phases milliseconds of each step
     */
    record Told(
            double frozenMillis, double totalMillis, long sentBytes, Map<String, Double> phases) {}
}
