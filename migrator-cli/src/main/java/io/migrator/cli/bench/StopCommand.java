package io.migrator.cli.bench;

import io.migrator.cli.bench.StopCase.Move;
import io.migrator.lab.Lab;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;

@Command(
        name = "stop",
        mixinStandardHelpOptions = true,
        description = {
            "How long a payload stands still in a stop-and-copy from n1 to n2 of the lab, beside"
                    + " the same steps by hand: criu dump, tar | ssh, criu restore.",
            "",
            "The gap is what the payload itself saw. Each round starts a new payload for each way;"
                    + " the order changes from round to round; every page is checked after each"
                    + " move. The first round is not counted. Needs root.",
        })
final class StopCommand implements Callable<Integer> {
    private static final long NOISE_MILLIS = 3000;
    private static final String ROW = "%-24s %-24s %8.0f %8.0f   %s%n";

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

    private final List<Double> noise = new ArrayList<>();
    private final List<Double> ratios = new ArrayList<>();
    private final List<Move> ours = new ArrayList<>();
    private final List<Move> theirs = new ArrayList<>();
    private final List<String> ourFailures = new ArrayList<>();
    private final List<String> theirFailures = new ArrayList<>();

    @Override
    public Integer call() throws Problem, InterruptedException {
        if (megabytes < 1 || rate < 0 || repeat < 1) {
            throw Problem.usage("--mb and --repeat are at least 1, --rate at least 0");
        }
        Machine machine = Machine.here();
        Lab lab = Lab.ofThisDistribution();
        lab.up();
        String run = "bench-" + ProcessHandle.current().pid();
        Path directory = lab.shared().resolve(run);
        try {
            Files.createDirectory(directory);
            measure(lab, directory, "/shared/" + run);
        } catch (IOException e) {
            throw Problem.failed("could not write into /shared").because(e.toString());
        } finally {
            delete(directory);
        }
        StopCase result = result();
        print(machine, result);
        if (json != null) {
            Double floor = Results.figure(Sample.of(noise).median());
            new Results<>(machine, floor, List.of(result)).write(json);
        }
        return (result.verified() ? ExitCode.DONE : ExitCode.FAILED).code();
    }

    private void measure(Lab lab, Path directory, String inside)
            throws Problem, InterruptedException {
        ByHandWay byHand = new ByHandWay(lab, directory, inside);
        MigratorWay migrator = new MigratorWay(lab, byHand);
        for (int round = 0; round <= repeat; round++) {
            List<Way> ways = round % 2 == 0 ? List.of(migrator, byHand) : List.of(byHand, migrator);
            Move our = null;
            Move their = null;
            for (Way way : ways) {
                String name = "bench-%d-%s".formatted(round, way == byHand ? "hand" : "own");
                Pattern payload = new Pattern(lab, name, directory, inside);
                if (way == byHand) {
                    their = move(round, way, payload, theirFailures);
                } else {
                    our = move(round, way, payload, ourFailures);
                }
            }
            if (round > 0) {
                count(our, their);
            }
        }
    }

    private void count(@Nullable Move our, @Nullable Move their) {
        if (our != null) {
            ours.add(our);
            noise.add(our.noiseMillis());
        }
        if (their != null) {
            theirs.add(their);
            noise.add(their.noiseMillis());
        }
        if (our != null && their != null) {
            ratios.add(our.gapMillis() / their.gapMillis());
        }
    }

    /** Null where it failed, which is told and kept. */
    private @Nullable Move move(int round, Way way, Pattern payload, List<String> failures)
            throws Problem, InterruptedException {
        try {
            Move move = move(way, payload);
            System.err.printf(
                    Locale.ROOT,
                    "round %d: %-22s gap %.0f ms, says %.0f ms: %s%s%n",
                    round,
                    way.name(),
                    move.gapMillis(),
                    move.told().frozenMillis(),
                    text(move.told().phases()),
                    round == 0 ? " (not counted)" : "");
            return move;
        } catch (Problem e) {
            failures.add("round " + round + ": " + e.getMessage());
            System.err.printf("round %d: %s FAILED: %s%n", round, way.name(), e.getMessage());
            return null;
        } finally {
            way.clean(payload);
        }
    }

    private Move move(Way way, Pattern payload) throws Problem, InterruptedException {
        payload.start(megabytes, rate);
        way.prepare(payload);
        payload.reset();
        Thread.sleep(NOISE_MILLIS);
        double floor = payload.reset();
        Way.Told told = way.move(payload);
        Pattern.Report report = payload.verify();
        if (!report.verified() || report.bad() != 0 || !report.node().equals(Pattern.TARGET)) {
            throw Problem.failed(
                    "the payload on %s found %d wrong pages"
                            .formatted(report.node(), report.bad()));
        }
        return new Move(report.maxGapMillis(), floor, told);
    }

    private StopCase result() {
        StopCase baseline =
                StopCase.of("criu, tar | ssh, criu", megabytes, rate, theirs, theirFailures);
        return StopCase.of("stop-and-copy", megabytes, rate, ours, ourFailures)
                .beside(baseline, Sample.of(ratios));
    }

    private void print(Machine machine, StopCase result) {
        System.out.printf(
                Locale.ROOT,
                "%s%npayload of %d MiB that writes %d MiB/s, %d rounds, every page checked%n"
                        + "noise floor (longest gap of 3 s with nothing going on): %s ms%n%n",
                machine.text(),
                megabytes,
                rate,
                repeat,
                Sample.of(noise).text("%.1f"));
        System.out.printf(
                "%-24s %-24s %8s %8s   %s%n",
                "milliseconds, median", "payload's gap (min-max)", "told", "total", "steps");
        row("migrator", ours, result);
        StopCase baseline = result.baseline();
        if (baseline != null) {
            row(baseline.name(), theirs, baseline);
        }
        System.out.printf(
                Locale.ROOT,
                "%nratio of the gaps by round: %s%nmedian %s%n",
                ratios.stream()
                        .map(ratio -> String.format(Locale.ROOT, "%.2f", ratio))
                        .collect(Collectors.joining(" ")),
                Sample.of(ratios).text("%.2f"));
        ourFailures.forEach(failure -> System.out.println("FAILED migrator, " + failure));
        theirFailures.forEach(failure -> System.out.println("FAILED by hand, " + failure));
    }

    private static void row(String name, List<Move> moves, StopCase of) {
        System.out.printf(
                Locale.ROOT,
                ROW,
                name,
                StopCase.sample(moves, Move::gapMillis).text("%.0f"),
                of.frozenMillis(),
                of.totalMillis(),
                text(of.phases()));
    }

    private static String text(Map<String, Double> phases) {
        return phases.entrySet().stream()
                .filter(step -> step.getValue() > 0)
                .map(step -> String.format(Locale.ROOT, "%s %.0f", step.getKey(), step.getValue()))
                .collect(Collectors.joining(", "));
    }

    private static void delete(Path directory) throws Problem {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> tree = Files.walk(directory)) {
            for (Path each : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(each);
            }
        } catch (IOException e) {
            throw Problem.failed("could not remove " + directory).because(e.toString());
        }
    }
}
