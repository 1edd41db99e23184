package io.migrator.cli;

import com.fasterxml.jackson.annotation.JsonInclude;

import io.migrator.check.Fate;
import io.migrator.check.Finding;
import io.migrator.migration.Candidate;
import io.migrator.migration.Feasibility;
import io.migrator.migration.Needs;
import io.migrator.migration.TargetFacts;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Locale;

/**
 * The JSON object of {@code check --json} of several nodes; its shape is promised to scripts.
 *
 * @param canGo true if it can to at least one of them
 */
record CheckResult(boolean canGo, Source here, List<Node> nodes) {
    /** The node on which the job runs. */
    record Source(String host, String kernel, String criu, long xsaveBytes) {}

    /** A node that was asked. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Node(
            String node,
            boolean canGo,
            boolean reached,
            @Nullable Facts facts,
            List<Finding> findings,
            List<Fate> files,
            Result.@Nullable Told problem) {}

    /**
     * What it has.
     *
     * @param cpu {@code same}, {@code fits}, {@code lacks} or {@code unknown}
     * @param xsaveBytes 0 if that is not known
     * @param image {@code same-file}, {@code same-digest}, {@code other} or {@code absent}
     */
    record Facts(
            String host,
            String kernel,
            String criu,
            String cpu,
            long xsaveBytes,
            Room memory,
            Room shm,
            String image) {}

    /** What is there of something, and what the job needs of it. */
    record Room(long freeBytes, long neededBytes) {}

    static CheckResult of(Feasibility.Here here, Needs needs, List<NodeAnswer> answers) {
        return new CheckResult(
                answers.stream().anyMatch(NodeAnswer::canGo),
                new Source(here.node(), here.kernel(), here.criuVersion(), here.xsaveBytes()),
                answers.stream().map(each -> of(each, needs)).toList());
    }

    private static Node of(NodeAnswer answer, Needs needs) {
        Candidate candidate = answer.candidate();
        return new Node(
                answer.node(),
                answer.canGo(),
                answer.reached(),
                candidate == null ? null : of(candidate, needs),
                candidate == null ? List.of() : candidate.preflight().findings(),
                candidate == null ? List.of() : candidate.preflight().fates(),
                answer.problem() == null ? null : Result.Told.of(answer.problem()));
    }

    private static Facts of(Candidate candidate, Needs needs) {
        TargetFacts facts = candidate.facts();
        return new Facts(
                facts.node(),
                facts.kernel(),
                facts.criuVersion(),
                word(candidate.cpu()),
                facts.xsaveBytes(),
                new Room(facts.freeMemoryBytes(), needs.memoryBytes()),
                new Room(facts.freeSpoolBytes(), needs.spoolBytes()),
                word(candidate.image()));
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
