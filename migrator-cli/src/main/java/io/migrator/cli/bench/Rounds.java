package io.migrator.cli.bench;

import io.migrator.cli.bench.MoveCase.Move;
import io.migrator.lab.Lab;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Moves from n1 to n2 of the lab, ours beside the same by hand, each of a new payload. The order
 * changes from round to round; the first is not counted. Used by one thread.
 */
final class Rounds {
    private static final long NOISE_MILLIS = 3000;
    private static final String ROW = "%-24s %-24s %8.0f %8.0f   %s%n";

    /**
     * What is measured.
     *
     * @param name of the case
     * @param memory how it travels, as {@code --memory} has it
     * @param megabytes of each payload
     * @param rate at which it writes, MiB/s
     * @param repeat how many rounds count
     * @param address on eth0 that moves along, or empty
     */
    record Plan(String name, String memory, int megabytes, int rate, int repeat, String address) {}

    /** Makes a payload that has not been started. */
    @FunctionalInterface
    interface Factory {
        /**
         * Makes it.
         *
         * @param directory of this run, below the lab's shared folder
         * @param directoryInside the same as the nodes see it
         */
        Payload of(Lab lab, String name, Path directory, String directoryInside);
    }

    private final Plan plan;
    private final Factory factory;
    private final List<Double> noise = new ArrayList<>();
    private final List<Double> ratios = new ArrayList<>();
    private final List<Move> ours = new ArrayList<>();
    private final List<Move> theirs = new ArrayList<>();
    private final List<String> ourFailures = new ArrayList<>();
    private final List<String> theirFailures = new ArrayList<>();

    Rounds(Plan plan, Factory factory) {
        this.plan = plan;
        this.factory = factory;
    }

    /**
     * Does them, prints a table with a heading, and writes the figures.
     *
     * @param json file, or null
     * @return exit code
     */
    int run(String heading, @Nullable Path json) throws Problem, InterruptedException {
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
        MoveCase result = result();
        print(machine, heading, result);
        if (json != null) {
            Double floor = Results.figure(Sample.of(noise).median());
            new Results<>(machine, floor, List.of(result)).write(json);
        }
        return (result.verified() ? ExitCode.DONE : ExitCode.FAILED).code();
    }

    private void measure(Lab lab, Path directory, String inside)
            throws Problem, InterruptedException {
        ByHandWay byHand = new ByHandWay(lab, directory, inside, plan.address);
        MigratorWay migrator = new MigratorWay(lab, plan.memory, byHand);
        for (int round = 0; round <= plan.repeat; round++) {
            List<Way> ways = round % 2 == 0 ? List.of(migrator, byHand) : List.of(byHand, migrator);
            Move our = null;
            Move their = null;
            for (Way way : ways) {
                String name = "bench-%d-%s".formatted(round, way == byHand ? "hand" : "own");
                Payload payload = factory.of(lab, name, directory, inside);
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
    private @Nullable Move move(int round, Way way, Payload payload, List<String> failures)
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

    private static Move move(Way way, Payload payload) throws Problem, InterruptedException {
        try (payload) {
            payload.start();
            way.prepare(payload);
            payload.reset();
            Thread.sleep(NOISE_MILLIS);
            double floor = payload.reset();
            Way.Told told = way.move(payload);
            return new Move(payload.verify(), floor, told);
        }
    }

    private MoveCase result() {
        MoveCase baseline =
                MoveCase.of("by hand", "stop", plan.megabytes, plan.rate, theirs, theirFailures);
        return MoveCase.of(plan.name, plan.memory, plan.megabytes, plan.rate, ours, ourFailures)
                .beside(baseline, Sample.of(ratios));
    }

    private void print(Machine machine, String heading, MoveCase result) {
        System.out.printf(
                Locale.ROOT,
                "%s%n%s, %d rounds%nnoise floor (longest gap of 3 s with nothing going on): %s"
                        + " ms%n%n",
                machine.text(),
                heading,
                plan.repeat,
                Sample.of(noise).text("%.1f"));
        System.out.printf(
                "%-24s %-24s %8s %8s   %s%n",
                "milliseconds, median", "gap (min-max)", "told", "total", "steps");
        row("migrator", ours, result);
        MoveCase baseline = result.baseline();
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

    private static void row(String name, List<Move> moves, MoveCase of) {
        System.out.printf(
                Locale.ROOT,
                ROW,
                name,
                MoveCase.sample(moves, Move::gapMillis).text("%.0f"),
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
