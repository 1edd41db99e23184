package io.migrator.cli;

import io.migrator.check.Preflight;
import io.migrator.files.FileWish;
import io.migrator.migration.Feasibility;
import io.migrator.migration.Migration;
import io.migrator.migration.Stage;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;

@Command(
        name = "check",
        mixinStandardHelpOptions = true,
        description = {
            "Tells whether an instance could go to a node; freezes and changes nothing.",
            "",
            "Of several nodes it prints a table; without --to it looks at this node alone. Exit"
                    + " code 0: the instance may go to at least one of the nodes; 3: to none.",
        })
final class CheckCommand implements Callable<Integer> {
    @Mixin private Job job;

    @Option(
            names = "--to",
            split = ",",
            paramLabel = "[USER@]NODE",
            description = "The nodes to ask, with commas between, each as after 'ssh'.")
    private List<String> to = new ArrayList<>();

    @Override
    public Integer call() throws Problem, InterruptedException {
        return job.told(() -> {
            boolean goes =
                    switch (to.size()) {
                        case 0 -> alone();
                        case 1 -> one(to.getFirst());
                        default -> several();
                    };
            return goes ? ExitCode.DONE : ExitCode.REFUSED;
        });
    }

    private boolean alone() throws Problem, InterruptedException {
        Preflight preflight = job.feasibility().alone();
        Map<String, Object> json = json(preflight);
        json.put("nodes", to);
        tell(preflight, json, "can go as far as this node tells; --to asks others");
        return preflight.blockers().isEmpty();
    }

    private boolean one(String node) throws Problem, InterruptedException {
        Preflight preflight = job.ask(node, Migration::check);
        tell(preflight, json(preflight), "can go");
        return preflight.blockers().isEmpty();
    }

    private static Map<String, Object> json(Preflight preflight) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("canGo", preflight.blockers().isEmpty());
        json.put("findings", preflight.findings());
        json.put("files", preflight.fates());
        return json;
    }

    private void tell(Preflight preflight, Map<String, Object> json, String good) {
        if (job.json()) {
            Terminal.out(Json.text(json));
            return;
        }
        preflight.findings().forEach(each -> FoundText.of(each, List.of()).forEach(Terminal::out));
        preflight.fates().forEach(each -> Terminal.out(FoundText.of(each, List.of())));
        String verdict = preflight.blockers().isEmpty() ? good : "cannot go";
        Terminal.out("'" + job.name() + "' " + verdict);
    }

    private boolean several() throws Problem, InterruptedException {
        Set<String> seen = new HashSet<>();
        for (String node : to) {
            job.farSide().validate(node);
            if (!seen.add(node)) {
                throw Problem.usage("--to names " + node + " twice")
                        .because("each node has one column")
                        .tryThis("leave one of them out");
            }
        }
        FileWish files = job.files();
        Feasibility feasibility;
        List<NodeAnswer> answers;
        try (TerminalProgress progress = new TerminalProgress()) {
            progress.stage(Stage.CHECK);
            feasibility = job.feasibility();
            if (!feasibility.told().isEmpty()) {
                progress.chosen(feasibility.told());
            }
            answers = new NodeQuestion(job.farSide(), feasibility, files).of(to);
        }
        if (job.json()) {
            Terminal.out(
                    Json.text(CheckResult.of(feasibility.node(), feasibility.needs(), answers)));
        } else {
            new CheckMatrix(
                            job.name(),
                            feasibility.node(),
                            feasibility.needs(),
                            feasibility.findings(),
                            answers)
                    .lines()
                    .forEach(Terminal::out);
        }
        return answers.stream().anyMatch(NodeAnswer::canGo);
    }
}
