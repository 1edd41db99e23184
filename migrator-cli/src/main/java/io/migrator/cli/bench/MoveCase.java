package io.migrator.cli.bench;

import static io.migrator.cli.bench.Results.figure;

import com.fasterxml.jackson.annotation.JsonInclude;

import org.jspecify.annotations.Nullable;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * One case of {@code bench stop} in its JSON: medians, gaps as the payload saw them.
 *
 * @param verified whether every page of every round was right after the move
 * @param ratio of the gap to the baseline's in the same round, median
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record MoveCase(
        String name,
        String memory,
        long memoryBytes,
        int dirtyMBps,
        int processes,
        int repeats,
        @Nullable Double gapMillis,
        @Nullable Double gapSpreadMillis,
        @Nullable Double gapMinMillis,
        @Nullable Double gapMaxMillis,
        @Nullable Double frozenMillis,
        @Nullable Double totalMillis,
        @Nullable Double sentBytes,
        @Nullable Double workMeanwhile,
        @Nullable Double workAfter,
        boolean verified,
        Map<String, Double> phases,
        List<String> failures,
        @Nullable Double ratio,
        @Nullable Double ratioMin,
        @Nullable Double ratioMax,
        @Nullable MoveCase baseline) {

    /**
     * One move.
     *
     * @param noiseMillis the payload's longest gap over three seconds just before
     * @param workMeanwhile what it did for a second from the command on, its gap left out, to what
     *     it did before; NaN if that was nothing
     * @param workAfter the same over three seconds after the move
     */
    record Move(
            double gapMillis,
            double noiseMillis,
            double workMeanwhile,
            double workAfter,
            Way.Told told) {}

    /** A case without a baseline. */
    static MoveCase of(
            String name,
            String memory,
            int megabytes,
            int rate,
            List<Move> moves,
            List<String> failures) {
        Sample gap = sample(moves, Move::gapMillis);
        return new MoveCase(
                name,
                memory,
                (long) megabytes << 20,
                rate,
                1,
                moves.size(),
                figure(gap.median()),
                figure(gap.spread()),
                figure(gap.min()),
                figure(gap.max()),
                figure(sample(moves, move -> move.told.frozenMillis()).median()),
                figure(sample(moves, move -> move.told.totalMillis()).median()),
                figure(sample(moves, move -> move.told.sentBytes()).median()),
                figure(sample(moves, Move::workMeanwhile).median()),
                figure(sample(moves, Move::workAfter).median()),
                failures.isEmpty() && !moves.isEmpty(),
                phases(moves),
                List.copyOf(failures),
                null,
                null,
                null,
                null);
    }

    MoveCase beside(MoveCase other, Sample ratios) {
        return new MoveCase(
                name,
                memory,
                memoryBytes,
                dirtyMBps,
                processes,
                repeats,
                gapMillis,
                gapSpreadMillis,
                gapMinMillis,
                gapMaxMillis,
                frozenMillis,
                totalMillis,
                sentBytes,
                workMeanwhile,
                workAfter,
                verified,
                phases,
                failures,
                figure(ratios.median()),
                figure(ratios.min()),
                figure(ratios.max()),
                other);
    }

    static Sample sample(List<Move> moves, ToDoubleFunction<Move> of) {
        return Sample.of(moves.stream().mapToDouble(of).boxed().toList());
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
