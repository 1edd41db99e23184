package io.migrator.cli.bench;

import io.migrator.cli.bench.MoveCase.Move;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/**
 * Whether those who saw one standstill tell the same of it: the payload, migrator, and a client.
 * Each measures something else: migrator counts from the freeze of the first thread until it has
 * heard that the job runs; a client from the last record before the network was locked to the first
 * after it was opened; the payload from its last tick to its next.
 */
final class Agreement {
    private Agreement() {}

    /**
     * In words, for each way of ours: medians of the differences in each move.
     *
     * @param by what came of the case in all ways, whose longest gap with nothing going on is the
     *     measure
     */
    static List<String> of(BenchCase what, List<Tried> by) {
        double noise =
                MoveCase.sample(
                                by.stream().flatMap(each -> each.all().stream()).toList(),
                                Move::noiseMillis)
                        .max();
        List<String> found = new ArrayList<>();
        for (Tried each : by) {
            if (Ways.isOurs(each.way()) && !each.moves().isEmpty()) {
                found.add("%s, %s: %s".formatted(what.name(), each.way(), text(each.all(), noise)));
            }
        }
        return found;
    }

    private static String text(List<Move> moves, double noise) {
        String told =
                compared(
                        "what migrator tells",
                        moves,
                        move -> move.told().frozenMillis() - move.gapMillis(),
                        noise,
                        "it counts until it has heard that the job runs");
        String silence =
                compared(
                        "the client's silence",
                        moves,
                        move ->
                                move.silenceMillis() == null
                                        ? null
                                        : move.silenceMillis() - move.gapMillis(),
                        noise,
                        "it ends when the network is open, and what was lost is sent again");
        return silence.isEmpty() ? told : told + "; " + silence;
    }

    private static String compared(
            String who,
            List<Move> moves,
            Function<Move, @Nullable Double> difference,
            double noise,
            String whyMore) {
        Sample more = MoveCase.sample(moves, difference);
        if (more.count() == 0) {
            return "";
        }
        String verdict;
        if (Math.abs(more.median()) <= noise) {
            verdict = "within the noise of %.1f ms";
        } else if (more.median() > 0) {
            verdict = "more than the noise of %.1f ms: " + whyMore;
        } else {
            verdict = "more than the noise of %.1f ms: the payload's longest gap was another one";
        }
        return String.format(
                Locale.ROOT,
                "%s is %+.1f ms (%+.1f to %+.1f) to the payload's gap, " + verdict,
                who,
                more.median(),
                more.min(),
                more.max(),
                noise);
    }
}
