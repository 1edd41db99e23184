package io.migrator.cli;

import io.migrator.files.FileWish;
import io.migrator.instance.Instance;
import io.migrator.instance.Instances;
import io.migrator.migration.Feasibility;
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

    /** Work that can end well in several ways. */
    @FunctionalInterface
    interface EndingWork {
        ExitCode run() throws Problem, InterruptedException;
    }

    String name() {
        return name;
    }

    boolean json() {
        return json;
    }

    FarSide farSide() {
        return farSide;
    }

    /**
     * Looks at this node alone, and connects to none. Ctrl-C interrupts the thread from here on.
     */
    Feasibility feasibility() throws Problem, InterruptedException {
        Wishes.Told told = wishes.told();
        Instance instance = Instances.ofThisUser().get(name);
        Interruption.calls(Thread.currentThread()::interrupt);
        return Feasibility.of(instance, told.network(), told.memory());
    }

    /**
     * Connects to the target, asks, and lets go of it; once more if what came in the way passes by
     * itself. Ctrl-C cancels.
     *
     * @param to the node as it was written
     */
    <T> T ask(String to, Question<T> question) throws Problem, InterruptedException {
        farSide.validate(to);
        Wishes.Told told = wishes.told();
        return Attempts.of(() -> once(to, told, question));
    }

    private <T> T once(String to, Wishes.Told told, Question<T> question)
            throws Problem, InterruptedException {
        Instance instance = Instances.ofThisUser().get(name);
        try (TerminalProgress progress = new TerminalProgress();
                FarSide.Link link = farSide.connect(to)) {
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

    FileWish files() throws Problem {
        return wishes.told().files();
    }

    /** Does the work; a script is told of a failure, too. */
    int exitOf(Work work) throws Problem, InterruptedException {
        return told(() -> {
            work.run();
            return ExitCode.DONE;
        });
    }

    /** The same of work that tells how it ended. */
    int told(EndingWork work) throws Problem, InterruptedException {
        try {
            return work.run().code();
        } catch (Problem problem) {
            if (json) {
                Terminal.out(Json.text(Result.of(name, problem)));
            }
            throw problem;
        }
    }
}
