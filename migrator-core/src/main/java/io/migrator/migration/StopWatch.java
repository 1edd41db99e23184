package io.migrator.migration;

import java.util.EnumMap;
import java.util.Map;

/** Takes the time of the stages: a stage lasts until the next begins. One thread. */
final class StopWatch {
    private static final double NANOS_PER_MILLI = 1e6;

    private final Map<Stage, Double> millis = new EnumMap<>(Stage.class);
    private final Progress progress;
    private final long startNanos = System.nanoTime();
    private Stage current = Stage.CHECK;
    private long sinceNanos = startNanos;

    StopWatch(Progress progress) {
        this.progress = progress;
        for (Stage stage : Stage.values()) {
            millis.put(stage, 0.0);
        }
    }

    void begin(Stage stage) {
        lap();
        current = stage;
        progress.stage(stage);
    }

    /** Milliseconds of each stage so far. */
    Map<Stage, Double> phases() {
        lap();
        return new EnumMap<>(millis);
    }

    double totalMillis() {
        return (System.nanoTime() - startNanos) / NANOS_PER_MILLI;
    }

    static double millisBetween(long fromNanos, long toNanos) {
        return (toNanos - fromNanos) / NANOS_PER_MILLI;
    }

    private void lap() {
        long now = System.nanoTime();
        millis.merge(current, (now - sinceNanos) / NANOS_PER_MILLI, Double::sum);
        sinceNanos = now;
    }
}
