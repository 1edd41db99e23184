package io.migrator.cli;

import io.migrator.check.Finding;
import io.migrator.check.Preflight;
import io.migrator.instance.Instance;
import io.migrator.instance.Instances;
import io.migrator.migration.Migration;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.util.Map;
import java.util.concurrent.Callable;

@Command(
        name = "check",
        mixinStandardHelpOptions = true,
        description = "Tells whether an instance could go to a node; freezes and changes nothing.")
final class CheckCommand implements Callable<Integer> {
    @Parameters(paramLabel = "NAME", description = "One of your instances on this node.")
    private String name = "";

    @Mixin private FarSide farSide;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Override
    public Integer call() throws Problem, InterruptedException {
        farSide.validate();
        Instance instance = Instances.ofThisUser().get(name);
        Preflight preflight;
        try (FarSide.Link link = farSide.connect();
                TerminalProgress progress = new TerminalProgress()) {
            preflight =
                    new Migration(
                                    instance,
                                    link.target(),
                                    link.node(),
                                    progress,
                                    farSide.timeLimit())
                            .check();
        }
        boolean goes = preflight.blockers().isEmpty();
        if (json) {
            System.out.println(Json.text(Map.of("canGo", goes, "findings", preflight.findings())));
        } else {
            for (Finding finding : preflight.findings()) {
                System.out.println(
                        (finding.forbids() ? "no:      " : "warning: ") + finding.what());
                System.out.println("         " + finding.because());
                System.out.println("         try: " + finding.tryThis());
            }
            System.out.println(goes ? "'" + name + "' can go" : "'" + name + "' cannot go");
        }
        return (goes ? ExitCode.DONE : ExitCode.REFUSED).code();
    }
}
