package io.migrator.cli;

import io.migrator.check.Preflight;
import io.migrator.cli.report.DrawnMove;
import io.migrator.cli.report.Machine;
import io.migrator.cli.report.Page;
import io.migrator.cli.report.Report;
import io.migrator.migration.Migration;
import io.migrator.migration.Outcome;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;

@Command(
        name = "migrate",
        mixinStandardHelpOptions = true,
        description = {
            "Moves a running instance to another node.",
            "",
            "Whatever fails or is cancelled before the job is handed over leaves it running here"
                    + " as before.",
        })
final class MigrateCommand implements Callable<Integer> {
    private static final double MEGA = 1e6;

    @Mixin private Job job;
    @Mixin private OneNode to;

    @Option(names = "--dry-run", description = "Only check; freeze and change nothing.")
    private boolean dryRun;

    @Option(
            names = "--report",
            paramLabel = "FILE",
            description = "Draw there what both nodes did when: a page for a browser (HTML).")
    private @Nullable Path report;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws Problem, InterruptedException {
        return job.exitOf(() -> {
            if (dryRun && report != null) {
                throw Problem.usage("--report does not go with --dry-run");
            }
            if (dryRun) {
                Preflight preflight = job.ask(to.node(), Migration::check);
                preflight.warnings().forEach(text -> Terminal.err("migrator: warning: " + text));
                preflight.orRefuse(job.name());
                Terminal.err("'" + job.name() + "' can go");
            } else if (report == null) {
                tell(job.ask(to.node(), Migration::run));
            } else {
                try (Page page = Page.at(report)) {
                    Outcome outcome = job.ask(to.node(), Migration::run);
                    tell(outcome);
                    draw(outcome, page);
                }
            }
        });
    }

    /** The job has moved, whatever becomes of the page. */
    private void draw(Outcome outcome, Page page) throws InterruptedException {
        String title = "'%s' from %s to %s".formatted(job.name(), outcome.from(), outcome.to());
        List<String> words = spec.root().commandLine().getParseResult().originalArgs();
        try {
            page.write(
                    new Report(
                            title,
                            "migrator " + String.join(" ", words),
                            Version.text(),
                            Machine.here(),
                            null,
                            List.of(
                                    new DrawnMove(
                                            job.name(), Result.of(outcome).drawn(), null, null)),
                            List.of(),
                            List.of()));
        } catch (Problem | RuntimeException e) {
            Terminal.err("migrator: warning: the report was not written: " + e.getMessage());
        }
    }

    private void tell(Outcome outcome) {
        Terminal.err(
                "'%s' runs on %s; it stood still for %.0f ms; %.0f MB in %.1f s"
                        .formatted(
                                job.name(),
                                outcome.to(),
                                outcome.frozenMillis(),
                                outcome.memoryBytes() / MEGA,
                                outcome.totalMillis() / 1000));
        if (job.json()) {
            Terminal.out(Json.text(Result.of(outcome)));
        }
    }
}
