package io.migrator.cli.bench;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Whether those who saw one standstill tell the same of it: the payload, whoever moved it, and a
 * client. Each measures something else, in this order in time: a client hears nothing from the
 * network lock on, until data comes over the new link; the source counts from the freeze of the
 * first thread until it has heard that the job runs; the payload from its last tick to its next.
 */
final class Agreement {
    private Agreement() {}

    /**
     * In words, of our ways.
     *
     * @param noiseMillis the longest gap that was seen with nothing going on
     */
    static List<String> of(List<MoveCase> figures, double noiseMillis) {
        return figures.stream().flatMap(each -> of(each, noiseMillis).stream()).toList();
    }

    private static Optional<String> of(MoveCase move, double noiseMillis) {
        Double gap = move.gapMillis();
        Double told = move.frozenMillis();
        if (move.sourceCpuSeconds() == null || gap == null || told == null) {
            return Optional.empty();
        }
        StringBuilder text = new StringBuilder("%s, %s: ".formatted(move.name(), move.way()));
        text.append(
                told(
                        gap,
                        told,
                        noiseMillis,
                        "the source tells",
                        "it hears of the job's start later than the job runs, and all its threads"
                                + " wait for processors then"));
        Double silence = move.silenceMillis();
        if (silence != null) {
            text.append("; ");
            text.append(
                    told(
                            gap,
                            silence,
                            noiseMillis,
                            "the client's silence is",
                            "the network is locked after the freeze, opened after the start, and"
                                    + " what was lost is sent again"));
        }
        return Optional.of(text.toString());
    }

    private static String told(
            double gap, double other, double noiseMillis, String who, String why) {
        double more = other - gap;
        boolean agree = Math.abs(more) <= noiseMillis;
        return String.format(
                Locale.ROOT,
                "%s %+.1f ms to the payload's gap, %s",
                who,
                more,
                agree
                        ? String.format(Locale.ROOT, "within the noise of %.1f ms", noiseMillis)
                        : String.format(
                                Locale.ROOT,
                                "more than the noise of %.1f ms: %s",
                                noiseMillis,
                                why));
    }
}
