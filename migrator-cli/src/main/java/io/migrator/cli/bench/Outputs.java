package io.migrator.cli.bench;

import io.migrator.cli.report.Machine;
import io.migrator.cli.report.Page;
import io.migrator.cli.report.Report;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

import java.nio.file.Path;
import java.util.List;

/** Where the figures are written, beside the terminal. */
final class Outputs {
    @Option(names = "--json", paramLabel = "FILE", description = "Write the figures there.")
    private @Nullable Path json;

    @Option(names = "--csv", paramLabel = "FILE", description = "Write them there as a table, too.")
    private @Nullable Path csv;

    @Option(
            names = "--html",
            paramLabel = "FILE",
            description = "Write them there as a page with pictures (docs/benchmarks.md).")
    private @Nullable Path html;

    @Spec(Target.MIXEE)
    private CommandSpec spec;

    /** Refuses files that cannot be written, before hours are spent. */
    void validate() throws Problem {
        Results.orUnwritable(json, csv);
        if (html != null) {
            Page.at(html).close();
        }
    }

    /** Writes what there is so far. */
    void write(Machine machine, Rounds rounds) throws Problem {
        List<MoveCase> figures = rounds.figures();
        new Results<>(machine, rounds.noiseMillis(), figures).write(json, csv);
        if (html != null) {
            CommandSpec root = spec.root();
            List<String> words = root.commandLine().getParseResult().originalArgs();
            try (Page page = Page.at(html)) {
                page.write(
                        new Report(
                                spec.qualifiedName(),
                                root.name() + " " + String.join(" ", words),
                                root.version()[0],
                                machine,
                                rounds.noiseMillis(),
                                rounds.drawn(),
                                figures,
                                rounds.agreement()));
            }
        }
    }
}
