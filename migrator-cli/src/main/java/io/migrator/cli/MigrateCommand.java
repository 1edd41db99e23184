package io.migrator.cli;

import io.migrator.check.Preflight;
import io.migrator.migration.Migration;
import io.migrator.migration.Outcome;
import io.migrator.problem.Problem;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

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

    @Override
    public Integer call() throws Problem, InterruptedException {
        return job.exitOf(() -> {
            if (dryRun) {
                Preflight preflight = job.ask(to.node(), Migration::check);
                preflight.warnings().forEach(text -> Terminal.err("migrator: warning: " + text));
                preflight.orRefuse(job.name());
                Terminal.err("'" + job.name() + "' can go");
            } else {
                report(job.ask(to.node(), Migration::run));
            }
        });
    }

    private void report(Outcome outcome) {
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
