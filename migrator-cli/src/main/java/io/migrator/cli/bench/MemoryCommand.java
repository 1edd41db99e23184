package io.migrator.cli.bench;

import io.migrator.migration.MemoryWish;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
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
            split = ",",
            defaultValue = "auto",
            paramLabel = "auto|stop|precopy|hybrid",
            description =
                    "How the memory travels; several, separated by commas, are measured by"
                            + " turns (default: ${DEFAULT-VALUE}).")
    private List<MemoryWish.Way> memories = List.of(MemoryWish.Way.AUTO);

    @Option(
            names = "--mb",
            split = ",",
            defaultValue = "1024",
            paramLabel = "N",
            description =
                    "Memory of the payload, in MiB; several, one case each (default:"
                            + " ${DEFAULT-VALUE}).")
    private List<Integer> megabytes = List.of(1024);

    @Option(
            names = "--rate",
            split = ",",
            defaultValue = "100",
            paramLabel = "N",
            description =
                    "What it writes in a second, in MiB; several, one case each (default:"
                            + " ${DEFAULT-VALUE}).")
    private List<Integer> rates = List.of(100);

    @Option(
            names = "--repeat",
            defaultValue = "5",
            paramLabel = "N",
            description = "Rounds that count (default: ${DEFAULT-VALUE}).")
    private int repeat = 5;

    @Option(
            names = "--lazy",
            description =
                    "Also by criu's own post-copy (lazy-pages), which takes minutes where the"
                            + " payload writes much.")
    private boolean lazy;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the figures there.")
    private @Nullable Path json;

    @Override
    public Integer call() throws Problem, InterruptedException {
        if (megabytes.stream().anyMatch(each -> each < 1)
                || rates.stream().anyMatch(each -> each < 0)
                || repeat < 1) {
            throw Problem.usage("--mb and --repeat are at least 1, --rate at least 0");
        }
        List<String> ways =
                memories.stream()
                        .map(each -> each.name().toLowerCase(Locale.ROOT))
                        .distinct()
                        .toList();
        Map<String, Rounds> cases = new LinkedHashMap<>();
        for (int size : megabytes) {
            for (int rate : rates) {
                Rounds.Plan plan = new Rounds.Plan("memory", ways, size, rate, repeat, "", lazy);
                cases.put(
                        "payload of %d MiB that writes %d MiB/s, every page checked"
                                .formatted(size, rate),
                        new Rounds(
                                plan,
                                (lab, name, directory, inside) ->
                                        new Pattern(lab, name, size, rate, directory, inside)));
            }
        }
        return Rounds.run(cases, json);
    }
}
