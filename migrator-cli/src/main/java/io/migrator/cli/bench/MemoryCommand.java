package io.migrator.cli.bench;

import io.migrator.migration.MemoryWish;
import io.migrator.problem.Problem;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;

@Command(
        name = "memory",
        mixinStandardHelpOptions = true,
        description = {
            "How long a payload stands still in a move between two nodes, beside the same"
                    + " steps by hand: criu dump, tar | ssh, criu restore.",
            "",
            "The gap is what the payload itself saw. Each round starts a new payload for each way;"
                    + " the order changes from round to round; every page is checked after each"
                    + " move. The first round is not counted. Needs root.",
        })
final class MemoryCommand implements Callable<Integer> {
    /** Before and after each move. */
    static final Duration PAUSE = Duration.ofSeconds(3);

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

    @Mixin private Nodes nodes;

    @Mixin private Outputs outputs;

    @Override
    public Integer call() throws Problem, InterruptedException {
        List<String> ways =
                new ArrayList<>(
                        memories.stream()
                                .map(each -> each.name().toLowerCase(Locale.ROOT))
                                .distinct()
                                .toList());
        ways.add(Ways.BASELINE);
        if (lazy) {
            ways.add("lazy");
        }
        List<BenchCase> cases = new ArrayList<>();
        for (int size : megabytes) {
            for (int rate : rates) {
                String name = "%d MiB that writes %d MiB/s".formatted(size, rate);
                cases.add(BenchCase.asked(name, size, rate, 0, ways));
            }
        }
        return Measurement.run(nodes, cases, new Rounds.Plan(repeat, PAUSE, true), outputs);
    }
}
