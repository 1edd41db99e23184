package io.migrator.cli;

import io.migrator.instance.Instance;
import io.migrator.instance.Instances;
import io.migrator.migration.Migration;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What the commands have in common that move a job, or ask whether it could move. */
final class Job {
    @Parameters(paramLabel = "NAME", description = "One of your instances on this node.")
    private String name = "";

    @Mixin private FarSide farSide;

    @Mixin private Wishes wishes;

    @Option(names = "--json", description = "Print the result as one JSON object.")
    private boolean json;

    /** What is asked of a migration. */
    @FunctionalInterface
    interface Question<T> {
        T of(Migration migration) throws Problem, InterruptedException;
    }

    /** A command's work. */
    @FunctionalInterface
    interface Work {
        void run() throws Problem, InterruptedException;
    }

    String name() {
        return name;
    }

    boolean json() {
        return json;
    }

    /** Connects to the target, asks, and lets go of it. Ctrl-C cancels. */
    <T> T ask(Question<T> question) throws Problem, InterruptedException {
        farSide.validate();
        Wishes.Told told = wishes.told();
        Instance instance = Instances.ofThisUser().get(name);
        try (TerminalProgress progress = new TerminalProgress();
                FarSide.Link link = farSide.connect()) {
            Migration migration =
                    told.on(
                            new Migration(
                                    instance,
                                    link.target(),
                                    link.node(),
                                    progress,
                                    farSide.timeLimit()));
            Interruption.calls(migration::cancel);
            return question.of(migration);
        }
    }

    /** Does the work; a script is told of a failure, too. */
    int exitOf(Work work) throws Problem, InterruptedException {
        try {
            work.run();
            return ExitCode.DONE.code();
        } catch (Problem problem) {
            if (json) {
                System.out.println(Json.text(Result.of(name, problem)));
            }
            throw problem;
        }
    }
}
