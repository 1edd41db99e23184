package io.migrator.cli;

import io.migrator.check.Fate;
import io.migrator.check.Finding;
import io.migrator.check.Preflight;
import io.migrator.migration.Migration;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

import java.util.Map;
import java.util.concurrent.Callable;

@Command(
        name = "check",
        mixinStandardHelpOptions = true,
        description = "Tells whether an instance could go to a node; freezes and changes nothing.")
final class CheckCommand implements Callable<Integer> {
    private static final double MEGA = 1e6;

    @Mixin private Job job;

    @Override
    public Integer call() throws Problem, InterruptedException {
        Preflight preflight = job.ask(Migration::check);
        boolean goes = preflight.blockers().isEmpty();
        if (job.json()) {
            Terminal.out(
                    Json.text(
                            Map.of(
                                    "canGo",
                                    goes,
                                    "findings",
                                    preflight.findings(),
                                    "files",
                                    preflight.fates())));
        } else {
            for (Finding finding : preflight.findings()) {
                Terminal.out((finding.forbids() ? "no:      " : "warning: ") + finding.what());
                Terminal.out("         " + finding.because());
                Terminal.out("         try: " + finding.tryThis());
            }
            for (Fate fate : preflight.fates()) {
                Terminal.out(
                        "file:    %s (%s, %.1f MB)"
                                .formatted(fate.path(), fate.what(), fate.bytes() / MEGA));
            }
            Terminal.out("'" + job.name() + (goes ? "' can go" : "' cannot go"));
        }
        return (goes ? ExitCode.DONE : ExitCode.REFUSED).code();
    }
}
