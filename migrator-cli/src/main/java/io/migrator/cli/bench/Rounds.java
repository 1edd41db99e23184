package io.migrator.cli.bench;

import io.migrator.cli.bench.ByHandWay.How;
import io.migrator.cli.bench.MoveCase.Move;
import io.migrator.lab.Lab;
import io.migrator.linux.Memory;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Moves from n1 to n2 of the lab, ours beside the same by hand, each of a new payload. The order
 * changes from round to round; the first is not counted. Used by one thread.
 */
final class Rounds {
    private static final long NOISE_MILLIS = 3000;

    /** In which a client that was cut off is heard again, whatever its timers do. */
    private static final long QUIET_MILLIS = 1000;

    /** By hand the payload and its images on both nodes: so many times its memory. */
    private static final int COPIES_BY_HAND = 3;

    private static final String ROW = "%-24s %-24s %8.0f %8.0f  %4.2f %4.2f   %s%n";

    /**
     * What is measured.
     *
     * @param name of the case
     * @param memories how it travels, as {@code --memory} has it, each beside the same by hand
     * @param megabytes of each payload
     * @param rate at which it writes, MiB/s
     * @param repeat how many rounds count
     * @param address on eth0 that moves along, or empty
     * @param lazy whether by criu's own post-copy, too
     */
    record Plan(
            String name,
            List<String> memories,
            int megabytes,
            int rate,
            int repeat,
            String address,
            boolean lazy) {}

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

    /** One way, and what came of it by rounds. */
    private record Tried(String memory, Way way, Map<Integer, Move> moves, List<String> failures) {
        static Tried of(String memory, Way way) {
            return new Tried(memory, way, new TreeMap<>(), new ArrayList<>());
        }

        String name() {
            return way instanceof MigratorWay ? "migrator, " + memory : way.name();
        }

        List<Move> all() {
            return List.copyOf(moves.values());
        }

        /** Of the gaps in the rounds in which both did it. */
        List<Double> ratios(Tried to) {
            List<Double> found = new ArrayList<>();
            moves.forEach((round, move) -> {
                Move other = to.moves.get(round);
                if (other != null) {
                    found.add(move.gapMillis() / other.gapMillis());
                }
            });
            return found;
        }
    }

    private final Plan plan;
    private final Factory factory;
    private final List<Double> noise = new ArrayList<>();
    private final List<Tried> compared = new ArrayList<>();

    Rounds(Plan plan, Factory factory) {
        this.plan = plan;
        this.factory = factory;
    }

    /**
     * Does the rounds of some cases, prints a table of each, and writes the figures.
     *
     * @param headings of the cases, in their order
     * @param json file, or null
     * @return exit code
     */
    static int run(Map<String, Rounds> headings, @Nullable Path json)
            throws Problem, InterruptedException {
        Machine machine = Machine.here();
        System.out.println(machine.text());
        Lab lab = Lab.ofThisDistribution();
        lab.up();
        List<MoveCase> cases = new ArrayList<>();
        List<Double> noise = new ArrayList<>();
        for (Map.Entry<String, Rounds> each : headings.entrySet()) {
            Rounds rounds = each.getValue();
            cases.addAll(rounds.run(lab, each.getKey()));
            noise.addAll(rounds.noise);
            if (json != null) { // after each case: a long run may be cut short
                Double floor = Results.figure(Sample.of(noise).median());
                new Results<>(machine, floor, cases).write(json);
            }
        }
        boolean well = cases.stream().allMatch(MoveCase::verified);
        return (well ? ExitCode.DONE : ExitCode.FAILED).code();
    }

    private List<MoveCase> run(Lab lab, String heading) throws Problem, InterruptedException {
        String run = "bench-" + ProcessHandle.current().pid();
        Path directory = lab.shared().resolve(run);
        Tried byHand;
        try {
            Files.createDirectory(directory);
            byHand = measure(lab, directory, "/shared/" + run);
        } catch (IOException e) {
            throw Problem.failed("could not write into /shared").because(e.toString());
        } finally {
            delete(directory);
        }
        MoveCase baseline = result("by hand", byHand);
        List<MoveCase> results = new ArrayList<>();
        for (Tried each : compared) {
            String name = each.way instanceof MigratorWay ? plan.name : each.name();
            results.add(result(name, each).beside(baseline, Sample.of(each.ratios(byHand))));
        }
        print(heading, results, byHand);
        return results;
    }

    private Tried measure(Lab lab, Path directory, String inside)
            throws Problem, InterruptedException {
        ByHandWay byHand = new ByHandWay(How.STOP, lab, directory, inside, plan.address);
        plan.memories.forEach(
                each -> compared.add(Tried.of(each, new MigratorWay(lab, each, byHand))));
        if (plan.lazy) {
            compared.add(Tried.of("lazy", new ByHandWay(How.LAZY, lab, directory, inside, "")));
        }
        List<Tried> all = new ArrayList<>(compared);
        Tried baseline = Tried.of("", byHand);
        long needed = (long) COPIES_BY_HAND * plan.megabytes;
        long available = Memory.availableBytes() >> 20;
        if (needed < available) {
            all.add(baseline);
        } else {
            baseline.failures.add(
                    "not tried: it takes %d MiB, %d are free".formatted(needed, available));
        }
        for (int round = 0; round <= plan.repeat; round++) {
            for (Tried each : all) {
                String name = "bench-%d-%d".formatted(round, all.indexOf(each));
                Move move = move(round, each, factory.of(lab, name, directory, inside));
                if (round > 0 && move != null) {
                    each.moves.put(round, move);
                    noise.add(move.noiseMillis());
                }
            }
            Collections.rotate(all, 1);
        }
        return baseline;
    }

    /** Null where it failed, which is told and kept. */
    private @Nullable Move move(int round, Tried by, Payload payload)
            throws Problem, InterruptedException {
        try {
            Move move = move(by.way, payload);
            System.err.printf(
                    Locale.ROOT,
                    "round %d: %-22s gap %.0f ms, says %.0f ms: %s%s%n",
                    round,
                    by.name(),
                    move.gapMillis(),
                    move.told().frozenMillis(),
                    text(move.told().phases()),
                    round == 0 ? " (not counted)" : "");
            return move;
        } catch (Problem e) {
            by.failures.add("round " + round + ": " + e.getMessage());
            System.err.printf("round %d: %s FAILED: %s%n", round, by.name(), e.getMessage());
            return null;
        } finally {
            by.way.clean(payload);
        }
    }

    private static Move move(Way way, Payload payload) throws Problem, InterruptedException {
        try (payload) {
            payload.start();
            way.prepare(payload);
            Payload.Look start = payload.look();
            Thread.sleep(NOISE_MILLIS);
            Payload.Look before = payload.look();
            Way.Told told = way.move(payload);
            Thread.sleep(QUIET_MILLIS);
            Payload.Look moved = payload.look();
            Thread.sleep(NOISE_MILLIS);
            Payload.Look after = payload.look();
            payload.verify();
            double pace = before.pace(start);
            return new Move(
                    moved.gapMillis(),
                    before.gapMillis(),
                    moved.pace(before) / pace,
                    after.pace(moved) / pace,
                    told);
        }
    }

    private MoveCase result(String name, Tried of) {
        String memory = of.memory.isEmpty() ? "stop" : of.memory;
        return MoveCase.of(name, memory, plan.megabytes, plan.rate, of.all(), of.failures);
    }

    private void print(String heading, List<MoveCase> results, Tried byHand) {
        System.out.printf(
                Locale.ROOT,
                "%n%s, %d rounds%nnoise floor (longest gap of 3 s with nothing going on): %s"
                        + " ms%n%n",
                heading,
                plan.repeat,
                Sample.of(noise).text("%.1f"));
        System.out.printf(
                "%-24s %-24s %8s %8s  %9s   %s%n",
                "milliseconds, median", "gap (min-max)", "told", "total", "work", "steps");
        for (int i = 0; i < results.size(); i++) {
            row(compared.get(i), results.get(i));
        }
        row(byHand, result("by hand", byHand));
        System.out.println();
        for (Tried each : compared) {
            List<Double> ratios = each.ratios(byHand);
            if (ratios.isEmpty()) {
                continue;
            }
            System.out.printf(
                    "%s: ratio of the gaps by round: %s; median %s%n",
                    each.name(),
                    ratios.stream()
                            .map(ratio -> String.format(Locale.ROOT, "%.4f", ratio))
                            .collect(Collectors.joining(" ")),
                    Sample.of(ratios).text("%.4f"));
        }
        for (Tried each : compared) {
            each.failures.forEach(
                    failure -> System.out.println("FAILED " + each.name() + ", " + failure));
        }
        byHand.failures.forEach(failure -> System.out.println("FAILED by hand, " + failure));
    }

    private static void row(Tried tried, MoveCase of) {
        System.out.printf(
                Locale.ROOT,
                ROW,
                tried.name(),
                MoveCase.sample(tried.all(), Move::gapMillis).text("%.0f"),
                of.frozenMillis(),
                of.totalMillis(),
                of.workMeanwhile(),
                of.workAfter(),
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
