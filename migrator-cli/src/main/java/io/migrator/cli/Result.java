package io.migrator.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;

import io.migrator.cli.report.DrawnMove;
import io.migrator.cli.report.DrawnTrace;
import io.migrator.memory.Round;
import io.migrator.migration.Outcome;
import io.migrator.migration.Purpose;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** The JSON object of {@code migrate --json}; its shape is promised to scripts. */
@JsonInclude(JsonInclude.Include.NON_NULL)
record Result(
        String outcome,
        String instance,
        @Nullable String from,
        @Nullable String to,
        String memory,
        List<DrawnMove.Pass> rounds,
        double frozenMillis,
        double totalMillis,
        long memoryBytes,
        long inheritedBytes,
        long lateBytes,
        long sentBytes,
        Map<String, Double> phases,
        List<String> warnings,
        @Nullable DrawnTrace trace,
        @Nullable Told problem) {

    private static DrawnMove.Pass pass(Round round) {
        return new DrawnMove.Pass(round.bytes(), round.pages(), rounded(round.millis()));
    }

    /** A problem in four parts. */
    record Told(String what, String because, String payload, @JsonProperty("try") String tryThis) {
        static Told of(Problem problem) {
            return new Told(
                    problem.what(), problem.because(), problem.payload(), problem.tryThis());
        }
    }

    private static String way(Outcome outcome) {
        if (outcome.lateBytes() > 0) {
            return "hybrid";
        }
        return outcome.rounds().isEmpty() ? "stop" : "precopy";
    }

    static Result of(Outcome outcome) {
        Map<String, Double> phases = new LinkedHashMap<>();
        outcome.phases().forEach((stage, millis) -> phases.put(stage.text(), rounded(millis)));
        return new Result(
                word(outcome.purpose()),
                outcome.instance(),
                outcome.from(),
                outcome.to(),
                way(outcome),
                outcome.rounds().stream().map(Result::pass).toList(),
                rounded(outcome.frozenMillis()),
                rounded(outcome.totalMillis()),
                outcome.memoryBytes(),
                outcome.inheritedBytes(),
                outcome.lateBytes(),
                outcome.sentBytes(),
                phases,
                outcome.warnings(),
                DrawnTrace.of(outcome.trace(), outcome.purpose(), outcome.totalMillis()),
                null);
    }

    static Result of(String instance, Problem problem) {
        return new Result(
                word(problem.exitCode()),
                instance,
                null,
                null,
                "stop",
                List.of(),
                0,
                0,
                0,
                0,
                0,
                0,
                Map.of(),
                List.of(),
                null,
                Told.of(problem));
    }

    /** What of it is drawn. */
    DrawnMove.Told drawn() {
        return new DrawnMove.Told(
                Objects.requireNonNull(from),
                Objects.requireNonNull(to),
                memory,
                frozenMillis,
                totalMillis,
                memoryBytes,
                inheritedBytes,
                lateBytes,
                sentBytes,
                rounds,
                Objects.requireNonNull(trace));
    }

    private static String word(Purpose purpose) {
        return switch (purpose) {
            case MOVE -> "migrated";
            case REHEARSE -> "rehearsed";
            case KEEP, END -> "checkpointed";
        };
    }

    private static String word(ExitCode code) {
        return switch (code) {
            case DONE -> "migrated";
            case FAILED -> "failed";
            case USAGE, REFUSED -> "refused";
            case UNDECIDED -> "undecided";
            case LOST -> "lost";
        };
    }

    private static double rounded(double millis) {
        return Math.round(millis * 1000) / 1000.0;
    }
}
