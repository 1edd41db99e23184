package io.migrator.cli;

import io.migrator.archive.ArchiveReader;
import io.migrator.migration.FarNode;
import io.migrator.migration.LocalTarget;
import io.migrator.migration.Restoration;
import io.migrator.migration.Target;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;

@Command(
        name = "restore",
        mixinStandardHelpOptions = true,
        description = {
            "Lets a job run again from the file that 'migrator checkpoint' made.",
            "",
            "The file stays as it is, and may be restored again; of a job that runs on, or was"
                    + " restored before, two copies run then.",
            "",
            "Encrypted: age -d -i KEY FILE | migrator restore -",
        })
final class RestoreCommand implements Callable<Integer> {
    @Parameters(paramLabel = "FILE", description = "The archive; - is standard input.")
    private String file = "";

    @Option(
            names = "--name",
            defaultValue = "",
            paramLabel = "NAME",
            description = "Name of the instance; by default the one it had.")
    private String name = "";

    @Option(
            names = "--allow",
            split = ",",
            paramLabel = "overwrite",
            description = "Let files of the job replace others that are there.")
    private Set<Wishes.Allowed> allowed = EnumSet.noneOf(Wishes.Allowed.class);

    @Option(names = "--json", description = "Print the result as one JSON object.")
    private boolean json;

    @Option(
            names = "--to",
            defaultValue = "",
            paramLabel = "[USER@]NODE",
            description = "The node on which it is to run, as after 'ssh'; by default this one.")
    private String to = "";

    @Mixin private FarSide farSide;

    @Override
    public Integer call() throws Problem, InterruptedException {
        try {
            if (!to.isEmpty()) {
                farSide.validate(to);
            }
            try (GivenArchive given = GivenArchive.of(file);
                    TerminalProgress progress = new TerminalProgress()) {
                List<ArchiveReader> chain = given.chain();
                for (ArchiveReader each : chain.subList(0, chain.size() - 1)) {
                    each.contents(); // refused before anything is made
                }
                if (to.isEmpty()) {
                    try (LocalTarget here = new LocalTarget(progress::warning)) {
                        restore(chain, here, null, progress);
                    }
                } else {
                    try (FarSide.Link link = farSide.connect(to)) {
                        restore(chain, link.target(), link.node(), progress);
                    }
                }
            }
            return ExitCode.DONE.code();
        } catch (Problem problem) {
            if (json) {
                Terminal.out(Json.text(Result.of(name, problem)));
            }
            throw problem;
        }
    }

    private void restore(
            List<ArchiveReader> chain,
            Target target,
            @Nullable FarNode far,
            TerminalProgress progress)
            throws Problem, InterruptedException {
        ArchiveReader.Contents contents = chain.getLast().contents();
        String instance = name.isEmpty() ? contents.head().instance() : name;
        Restoration restoration = new Restoration(target, far, progress);
        Interruption.calls(restoration::cancel);
        boolean replaces = allowed.contains(Wishes.Allowed.OVERWRITE);
        Restoration.Restored done =
                restoration.run(
                        contents.kept(),
                        instance,
                        to -> {
                            for (ArchiveReader each : chain.subList(0, chain.size() - 1)) {
                                each.replayMemory(to);
                            }
                            chain.getLast().replay(to, replaces);
                        });
        Terminal.err(
                "'%s' runs on %s, restored in %.1f s"
                        .formatted(instance, done.node(), done.totalMillis() / 1000));
        if (json) {
            Map<String, Double> phases = new LinkedHashMap<>();
            done.phases().forEach((stage, millis) -> phases.put(stage.text(), millis));
            Terminal.out(
                    Json.text(
                            Map.of(
                                    "outcome",
                                    "restored",
                                    "instance",
                                    instance,
                                    "from",
                                    contents.head().node(),
                                    "to",
                                    done.node(),
                                    "totalMillis",
                                    done.totalMillis(),
                                    "phases",
                                    phases)));
        }
    }
}
