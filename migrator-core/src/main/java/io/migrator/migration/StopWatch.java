package io.migrator.migration;

import java.util.EnumMap;
import java.util.Map;

/** Takes the time of the stages: a stage lasts until the next begins. One thread. */
final class StopWatch {
    private static final double NANOS_PER_MILLI = 1e6;

    private final Map<Stage, Double> millis = new EnumMap<>(Stage.class);
    private final Steps stages = new Steps();
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
        if (stage != current) {
            lap();
            current = stage;
        }
        progress.stage(stage);
    }

    /** The last one has ended. */
    void end() {
        lap();
    }

    /** Milliseconds of each stage that has ended. */
    Map<Stage, Double> phases() {
        return new EnumMap<>(millis);
    }

    /** The stages that have ended. */
    Steps stages() {
        return stages;
    }

    /** When it all began ({@link System#nanoTime}). */
    long startNanos() {
        return startNanos;
    }

    /** From the beginning to the end of the last stage. */
    double totalMillis() {
        return millisBetween(startNanos, sinceNanos);
    }

    static double millisBetween(long fromNanos, long toNanos) {
        return (toNanos - fromNanos) / NANOS_PER_MILLI;
    }

    private void lap() {
        long now = System.nanoTime();
        millis.merge(current, millisBetween(sinceNanos, now), Double::sum);
        if (now > sinceNanos) {
            stages.add(current.text(), sinceNanos, now);
        }
        sinceNanos = now;
    }
}
