package io.migrator.cli.bench;

import io.migrator.cli.report.DrawnMove;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Map;

/** A way to move a {@link Payload} from one node to the other. Used by one thread. */
sealed interface Way permits MigratorWay, ByHandWay, PodmanWay {
    /** Starts a payload, in a job that goes this way. */
    void start(Payload payload, List<String> options, List<String> words)
            throws Problem, InterruptedException;

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
     * @param phases milliseconds of each step
     * @param drawn the same as a time line; null where the tool tells none
     */
    record Told(
            double frozenMillis,
            double totalMillis,
            Map<String, Double> phases,
            DrawnMove.@Nullable Told drawn) {}
}
