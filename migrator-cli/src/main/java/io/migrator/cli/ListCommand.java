package io.migrator.cli;

import io.migrator.check.Preflight;
import io.migrator.instance.Instance;
import io.migrator.instance.Instances;
import io.migrator.instance.ProcessTree;
import io.migrator.migration.Migration;
import io.migrator.problem.Problem;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

@Command(
        name = "ls",
        mixinStandardHelpOptions = true,
        description = "Lists your instances on this node, and whether each can go.")
final class ListCommand implements Callable<Integer> {
    private static final String ROW = "%-20s %-10s %9s %10s  %-9s %-5s %s";
    private static final double MEGA = 1e6;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    /** One line; the names are those of the JSON. */
    private record Row(
            String name,
            String owner,
            String image,
            int processes,
            long memoryBytes,
            String mode,
            boolean canGo,
            String because) {}

    @Override
    public Integer call() throws Problem, InterruptedException {
        List<Row> rows = new ArrayList<>();
        for (Instance instance : Instances.ofThisUser().running()) {
            rows.add(row(instance));
        }
        if (json) {
            Terminal.out(Json.text(Map.of("instances", rows)));
            return 0;
        }
        Terminal.out(
                ROW.formatted("NAME", "OWNER", "PROCESSES", "MEMORY", "MODE", "GOES", "IMAGE"));
        for (Row row : rows) {
            Terminal.out(
                    ROW.formatted(
                            row.name,
                            row.owner,
                            row.processes,
                            "%.0f MB".formatted(row.memoryBytes / MEGA),
                            row.mode,
                            row.canGo ? "yes" : "no",
                            row.image + (row.canGo ? "" : "  (" + row.because + ")")));
        }
        return 0;
    }

    private static Row row(Instance instance) throws InterruptedException {
        ProcessTree tree = new ProcessTree(List.of());
        String because;
        try {
            tree = ProcessTree.of(instance);
            Preflight preflight = Migration.sourceCheck(instance, tree);
            because = preflight.blockers().isEmpty() ? "" : preflight.blockers().getFirst().what();
        } catch (Problem | IllegalArgumentException e) { // of this one; the others are listed
            because = String.valueOf(e.getMessage());
        }
        String mode =
                instance.userNamespace()
                        ? "userns"
                        : "root".equals(instance.owner()) ? "root" : "setuid";
        return new Row(
                instance.name(),
                instance.owner(),
                instance.image().toString(),
                tree.members().size(),
                tree.residentBytes(),
                mode,
                because.isEmpty(),
                because);
    }
}
