package io.migrator.cli.bench;

import static io.migrator.cli.bench.Results.figure;

import com.fasterxml.jackson.annotation.JsonInclude;

import io.migrator.cli.report.DrawnMove;
import io.migrator.migration.Usage;

import org.jspecify.annotations.Nullable;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/**
 * One case moved in one way, in the JSON of a benchmark: medians. What was not measured is null.
 *
 * @param way one of {@link Ways}
 * @param payload its programs
 * @param memory how it travelled: {@code stop}, {@code precopy} or {@code hybrid}; else the way
 * @param gapMillis for which the payload itself saw that it stood still
 * @param silenceMillis for which its client heard nothing
 * @param frozenMillis for which the tool says that it stood still
 * @param cpuSeconds of the processors meanwhile, of both nodes in the lab, without what the payload
 *     took before
 * @param peakBytes of memory that was taken meanwhile, of both nodes in the lab
 * @param sentBytes that left the source by its network
 * @param noiseMillis the payload's longest gap over the seconds just before
 * @param workMeanwhile what it did from the command until a second after, its gap left out, to what
 *     it did before
 * @param workAfter the same over the seconds after the move
 * @param verified whether every page and record of every round was right after the move
 * @param ratio of the standstill to the baseline's in the same round, median
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record MoveCase(
        String name,
        String way,
        String payload,
        String memory,
        long memoryBytes,
        int dirtyMBps,
        int processes,
        int connections,
        String link,
        String compress,
        int repeats,
        @Nullable Double gapMillis,
        @Nullable Double gapSpreadMillis,
        @Nullable Double gapMinMillis,
        @Nullable Double gapMaxMillis,
        @Nullable Double silenceMillis,
        @Nullable Double frozenMillis,
        @Nullable Double totalMillis,
        @Nullable Double cpuSeconds,
        @Nullable Double peakBytes,
        @Nullable Double sentBytes,
        @Nullable Double sourceCpuSeconds,
        @Nullable Double targetCpuSeconds,
        @Nullable Double sourcePeakBytes,
        @Nullable Double targetPeakBytes,
        @Nullable Double noiseMillis,
        @Nullable Double workMeanwhile,
        @Nullable Double workAfter,
        boolean verified,
        Map<String, Double> phases,
        List<String> failures,
        @Nullable Double ratio,
        @Nullable Double ratioMin,
        @Nullable Double ratioMax,
        @Nullable Baseline baseline) {

    /** What it is compared with. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Baseline(String name, @Nullable Double gapMillis, @Nullable Double silenceMillis) {}

    /** One move; the fields are those of the case. */
    record Move(
            double gapMillis,
            @Nullable Double silenceMillis,
            double noiseMillis,
            double workMeanwhile,
            double workAfter,
            double cpuSeconds,
            @Nullable Double peakBytes,
            double sentBytes,
            Way.Told told) {

        /** What is compared: a client's silence where there is one. */
        double standstillMillis() {
            return silenceMillis == null ? gapMillis : silenceMillis;
        }

        private @Nullable Usage usage(boolean source) {
            DrawnMove.Told drawn = told.drawn();
            if (drawn == null) {
                return null;
            }
            return source ? drawn.trace().source() : drawn.trace().target();
        }
    }

    /**
     * What came of it.
     *
     * @param baseline the same case by the way with which it is compared; null if this is it
     */
    static MoveCase of(BenchCase what, Tried tried, @Nullable Tried baseline) {
        List<Move> moves = tried.all();
        Sample gap = sample(moves, Move::gapMillis);
        Sample ratios = Sample.of(baseline == null ? List.of() : tried.ratios(baseline));
        return new MoveCase(
                what.name(),
                tried.way(),
                what.connections() > 0 ? "pattern and stream" : "pattern",
                memory(moves, tried.way()),
                (long) what.megabytes() << 20,
                what.rate(),
                what.processes(),
                what.connections(),
                what.link(),
                what.compress(),
                moves.size(),
                figure(gap.median()),
                figure(gap.spread()),
                figure(gap.min()),
                figure(gap.max()),
                median(moves, Move::silenceMillis),
                median(moves, move -> move.told.frozenMillis()),
                median(moves, move -> move.told.totalMillis()),
                median(moves, Move::cpuSeconds),
                median(moves, Move::peakBytes),
                median(moves, Move::sentBytes),
                usage(moves, true, Usage::cpuSeconds),
                usage(moves, false, Usage::cpuSeconds),
                usage(moves, true, used -> (double) used.peakBytes()),
                usage(moves, false, used -> (double) used.peakBytes()),
                median(moves, Move::noiseMillis),
                median(moves, Move::workMeanwhile),
                median(moves, Move::workAfter),
                tried.failures().isEmpty() && !moves.isEmpty(),
                phases(moves),
                List.copyOf(tried.failures()),
                figure(ratios.median()),
                figure(ratios.min()),
                figure(ratios.max()),
                baseline == null
                        ? null
                        : new Baseline(
                                baseline.way(),
                                median(baseline.all(), Move::gapMillis),
                                median(baseline.all(), Move::silenceMillis)));
    }

    private static String memory(List<Move> moves, String way) {
        return moves.stream()
                .map(move -> move.told.drawn())
                .filter(Objects::nonNull)
                .map(DrawnMove.Told::memory)
                .findFirst()
                .orElse(way);
    }

    private static @Nullable Double median(
            List<Move> moves, Function<Move, @Nullable Double> what) {
        return figure(sample(moves, what).median());
    }

    private static @Nullable Double usage(
            List<Move> moves, boolean source, Function<Usage, Double> what) {
        return median(
                moves,
                move -> {
                    Usage used = move.usage(source);
                    return used == null ? null : what.apply(used);
                });
    }

    /** Of the moves that have it. */
    static Sample sample(List<Move> moves, Function<Move, @Nullable Double> what) {
        return Sample.of(moves.stream().map(what).filter(Objects::nonNull).toList());
    }

    /** Medians of the steps that took any time. */
    private static Map<String, Double> phases(List<Move> moves) {
        Map<String, Double> medians = new LinkedHashMap<>();
        if (!moves.isEmpty()) {
            for (String step : moves.getFirst().told.phases().keySet()) {
                double median =
                        sample(moves, move -> move.told.phases().getOrDefault(step, 0.0)).median();
                if (median > 0) {
                    medians.put(step, median);
                }
            }
        }
        return medians;
    }
}
