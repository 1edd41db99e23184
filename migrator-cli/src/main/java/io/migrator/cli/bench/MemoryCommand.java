package io.migrator.cli.bench;

import io.migrator.migration.MemoryWish;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;

@Command(
        name = "memory",
        mixinStandardHelpOptions = true,
        description = {
            "How long a payload stands still in a move from n1 to n2 of the lab, beside the same"
                    + " steps by hand: criu dump, tar | ssh, criu restore.",
            "",
            "The gap is what the payload itself saw. Each round starts a new payload for each way;"
                    + " the order changes from round to round; every page is checked after each"
                    + " move. The first round is not counted. Needs root.",
        })
final class MemoryCommand implements Callable<Integer> {
    @Option(
            names = "--memory",
            defaultValue = "auto",
            paramLabel = "auto|stop|precopy",
            description = "How the memory travels (default: ${DEFAULT-VALUE}).")
    private MemoryWish.Way memory = MemoryWish.Way.AUTO;

    @Option(
            names = "--mb",
            defaultValue = "1024",
            paramLabel = "N",
            description = "Memory of the payload, in MiB (default: ${DEFAULT-VALUE}).")
    private int megabytes = 1024;

    @Option(
            names = "--rate",
            defaultValue = "100",
            paramLabel = "N",
            description = "What it writes in a second, in MiB (default: ${DEFAULT-VALUE}).")
    private int rate = 100;

    @Option(
            names = "--repeat",
            defaultValue = "5",
            paramLabel = "N",
            description = "Rounds that count (default: ${DEFAULT-VALUE}).")
    private int repeat = 5;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the figures there.")
    private @Nullable Path json;

    @Override
    public Integer call() throws Problem, InterruptedException {
        if (megabytes < 1 || rate < 0 || repeat < 1) {
            throw Problem.usage("--mb and --repeat are at least 1, --rate at least 0");
        }
        String way = memory.name().toLowerCase(Locale.ROOT);
        Rounds.Plan plan = new Rounds.Plan("memory", way, megabytes, rate, repeat, "");
        return new Rounds(
                        plan,
                        (lab, name, directory, inside) ->
                                new Pattern(lab, name, megabytes, rate, directory, inside))
                .run(
                        "--memory %s, payload of %d MiB that writes %d MiB/s, every page checked"
                                .formatted(way, megabytes, rate),
                        json);
    }
}
