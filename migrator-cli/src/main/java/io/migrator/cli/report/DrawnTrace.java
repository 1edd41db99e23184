package io.migrator.cli.report;

import com.fasterxml.jackson.annotation.JsonInclude;

import io.migrator.migration.Purpose;
import io.migrator.migration.Trace;
import io.migrator.migration.Usage;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/**
 * What both nodes did when, as {@code migrate --json} tells it and a report draws it; milliseconds
 * from the beginning, by the source's clock.
 *
 * @param steps of both sides, stages and rounds among them
 * @param job where it ran, and where it stood still
 * @param clockOffsetMillis by how much the target's clock was ahead; null if it did not tell
 * @param clockErrorMillis the most by which that may be wrong
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record DrawnTrace(
        List<Step> steps,
        List<Span> job,
        @Nullable Double clockOffsetMillis,
        @Nullable Double clockErrorMillis,
        @Nullable Usage source,
        @Nullable Usage target) {
    private static final String SOURCE = "source";
    private static final String TARGET = "target";

    /**
     * Something that was done.
     *
     * @param side {@code source} or {@code target}
     * @param kind {@code stage}, {@code round} or {@code step}
     */
    public record Step(String side, String kind, String name, double fromMillis, double toMillis) {}

    /**
     * How the job was.
     *
     * @param state {@code runs} or {@code still}
     */
    public record Span(String side, String state, double fromMillis, double toMillis) {}

    /** As it is drawn. */
    public static DrawnTrace of(Trace trace, Purpose purpose, double totalMillis) {
        List<Step> steps = new ArrayList<>();
        add(steps, SOURCE, "stage", trace.stages());
        add(steps, SOURCE, "round", trace.rounds());
        add(steps, SOURCE, "step", trace.source());
        double frozen = trace.still().fromMillis();
        double runs = trace.still().toMillis();
        List<Span> job = new ArrayList<>();
        job.add(new Span(SOURCE, "runs", 0, rounded(frozen)));
        job.add(new Span(SOURCE, "still", rounded(frozen), rounded(runs)));
        if (purpose != Purpose.END) { // then it runs nowhere
            String side = purpose.runsOn() ? SOURCE : TARGET;
            job.add(new Span(side, "runs", rounded(runs), rounded(totalMillis)));
        }
        Trace.Far far = trace.target();
        if (far == null) {
            return new DrawnTrace(steps, job, null, null, trace.sourceUsage(), null);
        }
        add(steps, TARGET, "step", far.parts());
        return new DrawnTrace(
                steps,
                job,
                rounded(far.offsetMillis()),
                rounded(far.errorMillis()),
                trace.sourceUsage(),
                far.usage());
    }

    private static void add(List<Step> steps, String side, String kind, List<Trace.Part> parts) {
        for (Trace.Part each : parts) {
            steps.add(
                    new Step(
                            side,
                            kind,
                            each.name(),
                            rounded(each.fromMillis()),
                            rounded(each.toMillis())));
        }
    }

    private static double rounded(double millis) {
        return Math.round(millis * 1000) / 1000.0;
    }
}
