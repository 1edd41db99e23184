package io.migrator.cli;

import io.migrator.instance.Instance;
import io.migrator.instance.Instances;
import io.migrator.migration.Migration;
import io.migrator.migration.Outcome;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

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

    @Parameters(paramLabel = "NAME", description = "One of your instances on this node.")
    private String name = "";

    @Mixin private FarSide farSide;

    /** How the memory travels. */
    enum Memory {
        AUTO,
        STOP
    }

    @Option(
            names = "--memory",
            defaultValue = "auto",
            paramLabel = "auto|stop",
            description = "How the memory travels; so far always while the job stands still.")
    @SuppressWarnings("UnusedVariable") // one way so far
    private Memory memory = Memory.AUTO;

    @Option(names = "--dry-run", description = "Only check; freeze and change nothing.")
    private boolean dryRun;

    @Option(names = "--json", description = "Print the result as one JSON object.")
    private boolean json;

    @Override
    public Integer call() throws Problem, InterruptedException {
        try {
            farSide.validate();
            Instance instance = Instances.ofThisUser().get(name);
            try (TerminalProgress progress = new TerminalProgress();
                    FarSide.Link link = farSide.connect()) {
                Migration migration =
                        new Migration(
                                instance,
                                link.target(),
                                link.node(),
                                progress,
                                farSide.timeLimit());
                Interruption.calls(migration::cancel);
                if (dryRun) {
                    migration.check().orRefuse(name);
                    System.err.println("'" + name + "' can go");
                } else {
                    Outcome outcome = migration.run();
                    progress.close();
                    report(outcome);
                }
            }
            return ExitCode.DONE.code();
        } catch (Problem problem) {
            if (json) {
                System.out.println(Json.text(Result.of(name, problem)));
            }
            throw problem;
        }
    }

    private void report(Outcome outcome) {
        System.err.printf(
                "'%s' runs on %s; it stood still for %.0f ms; %.0f MB in %.1f s%n",
                name,
                outcome.to(),
                outcome.frozenMillis(),
                outcome.memoryBytes() / MEGA,
                outcome.totalMillis() / 1000);
        if (json) {
            System.out.println(Json.text(Result.of(outcome)));
        }
    }
}
