package io.migrator.cli;

import io.migrator.migration.Recovery;
import io.migrator.migration.Settled;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

@Command(
        name = "recover",
        mixinStandardHelpOptions = true,
        description = {
            "Finishes or undoes what a crash left of your migrations on this node.",
            "",
            "May be run at any time and again, on both nodes; a migration that is at work is left"
                    + " alone. Where the job was handed over, the other node is asked. Says who may"
                    + " run each job now. Exit code 4: one still cannot be decided.",
        })
final class RecoverCommand implements Callable<Integer> {
    @Option(
            names = "--take-back",
            paramLabel = "ID",
            defaultValue = "",
            description = {
                "Let the job of this migration run here again although the other node does not say"
                    + " that it never ran there. If it did, work is done twice and its files and"
                    + " connections may be damaged."
            })
    private String takeBack = "";

    @Option(
            names = "--take-over",
            paramLabel = "ID",
            defaultValue = "",
            description = {
                "Let the complete copy of the job run here although it was not handed over, because"
                        + " the node it came from is dead. If that one lives, two copies may run."
            })
    private String takeOver = "";

    @Option(names = "--dry-run", description = "Say what would be done; change nothing.")
    private boolean dryRun;

    @Option(names = "--json", description = "Print the result as one JSON object.")
    private boolean json;

    @Override
    public Integer call() throws Problem, InterruptedException {
        List<String> ids = Recovery.ids();
        orUnknown("--take-back", takeBack, ids);
        orUnknown("--take-over", takeOver, ids);
        Recovery recovery =
                new Recovery(FarSide::anyNode, text -> Terminal.err("migrator: warning: " + text));
        List<Settled> all = recovery.run(ids, new Recovery.Choice(takeBack, takeOver, dryRun));
        all.forEach(RecoverCommand::tell);
        if (all.isEmpty()) {
            Terminal.err("nothing of yours is to be recovered on this node");
        }
        if (json) {
            Terminal.out(Json.text(Map.of("migrations", all)));
        }
        boolean decided = all.stream().allMatch(Settled::decided);
        return (decided ? ExitCode.DONE : ExitCode.UNDECIDED).code();
    }

    private static void orUnknown(String option, String id, List<String> ids) throws Problem {
        if (!id.isEmpty() && !ids.contains(id)) {
            throw Problem.usage(option + ": this node knows no migration '" + id + "' of yours")
                    .because(ids.isEmpty() ? "it knows none" : "it knows " + String.join(", ", ids))
                    .tryThis("migrator recover --dry-run");
        }
    }

    private static void tell(Settled each) {
        String name = each.instance().isEmpty() ? "?" : "'" + each.instance() + "'";
        Terminal.err("%s (migration %s): %s".formatted(name, each.id(), each.text()));
        if (!each.tryThis().isEmpty()) {
            Terminal.err("migrator: try:   " + each.tryThis());
        }
    }
}
