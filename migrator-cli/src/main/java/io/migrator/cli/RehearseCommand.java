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
        name = "rehearse",
        mixinStandardHelpOptions = true,
        description = {
            "Does everything of a migration but the last step, and undoes it.",
            "",
            "The job is loaded on the other node and held there before its first instruction; then"
                    + " that copy is discarded and the job runs on here. Prints how long it stood"
                    + " still, and everything that was found.",
        })
final class RehearseCommand implements Callable<Integer> {
    @Parameters(paramLabel = "NAME", description = "One of your instances on this node.")
    private String name = "";

    @Mixin private FarSide farSide;

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
                Outcome outcome = migration.rehearse();
                progress.close();
                report(outcome);
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
                "'%s' could move to %s; it stood still for %.0f ms and runs on here%n",
                name, outcome.to(), outcome.frozenMillis());
        if (json) {
            System.out.println(Json.text(Result.of(outcome)));
        }
    }
}
