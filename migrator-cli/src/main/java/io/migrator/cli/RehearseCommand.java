package io.migrator.cli;

import io.migrator.migration.Migration;
import io.migrator.migration.Outcome;
import io.migrator.problem.Problem;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

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
    @Mixin private Job job;
    @Mixin private OneNode to;

    @Override
    public Integer call() throws Problem, InterruptedException {
        return job.exitOf(() -> report(job.ask(to.node(), Migration::rehearse)));
    }

    private void report(Outcome outcome) {
        Terminal.err(
                "'%s' could move to %s; it stood still for %.0f ms and runs on here"
                        .formatted(job.name(), outcome.to(), outcome.frozenMillis()));
        if (job.json()) {
            Terminal.out(Json.text(Result.of(outcome)));
        }
    }
}
