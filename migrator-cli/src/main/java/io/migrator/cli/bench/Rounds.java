package io.migrator.cli.bench;

import io.migrator.cli.bench.MoveCase.Move;
import io.migrator.cli.report.DrawnMove;
import io.migrator.linux.Memory;
import io.migrator.problem.PlainText;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Moves from one node to the other, each of a new payload: in each round every case by every way,
 * by turns. What comes first is not counted: a virtual machine as host may touch memory for the
 * first time in it, which costs seconds. Used by one thread.
 */
final class Rounds {
    /** In which a client that was cut off is heard again, whatever its timers do. */
    private static final long QUIET_MILLIS = 1000;

    private static final int MOST_OF_FAILURE = 4000;

    /** By hand the payload and its images on both nodes: so many times its memory. */
    private static final int COPIES_BY_HAND = 3;

    /**
     * How it is measured.
     *
     * @param repeat rounds that count
     * @param pause before and after each move, in which nothing goes on
     * @param warmsEach whether each case has a round that does not count, or only the largest
     */
    record Plan(int repeat, Duration pause, boolean warmsEach) {}

    private final Site site;
    private final Plan plan;
    private final Ways ways;
    private final Map<BenchCase, List<Tried>> tried = new LinkedHashMap<>();
    private int moved;

    /** Of these cases, none tried yet. */
    Rounds(Site site, List<BenchCase> cases, Plan plan) {
        this.site = site;
        this.plan = plan;
        this.ways = new Ways(site);
        for (BenchCase each : cases) {
            tried.put(each, each.ways().stream().map(Tried::of).toList());
        }
    }

    /**
     * Does them all.
     *
     * @param afterEach told after each round, as a long run may be cut short
     */
    void run(Runner afterEach) throws Problem, InterruptedException {
        try {
            for (int round = 0; round <= plan.repeat; round++) {
                for (Map.Entry<BenchCase, List<Tried>> each : tried.entrySet()) {
                    if (round > 0 || plan.warmsEach || each.getKey().equals(largest())) {
                        round(round, each.getKey(), each.getValue());
                    }
                }
                afterEach.run();
            }
        } finally {
            undoing(() -> site.link("none"));
        }
    }

    /** What is done. */
    @FunctionalInterface
    interface Runner {
        void run() throws Problem, InterruptedException;
    }

    /** Also when this thread was told to stop, and did not hear it yet. */
    private static void undoing(Runner undo) throws Problem, InterruptedException {
        boolean interrupted = Thread.interrupted();
        undo.run();
        if (interrupted) {
            throw new InterruptedException();
        }
    }

    private BenchCase largest() {
        return tried.keySet().stream()
                .max(Comparator.comparingInt(BenchCase::megabytes))
                .orElseThrow();
    }

    private void round(int round, BenchCase what, List<Tried> by)
            throws Problem, InterruptedException {
        for (int i = 0; i < by.size(); i++) {
            Tried each = by.get((i + round) % by.size());
            Optional<Move> move = move(round, what, each);
            if (round > 0 && move.isPresent()) {
                each.moves().put(round, move.get());
            }
        }
    }

    /** Empty where it failed, which is told and kept. */
    private Optional<Move> move(int round, BenchCase what, Tried by)
            throws InterruptedException, Problem {
        String title = "round %d: %s, %s".formatted(round, what.name(), by.way());
        long run = ProcessHandle.current().pid(); // a second bench has other names
        Payload payload = what.payload(site, "bench-%d-%d".formatted(run, ++moved));
        Way way = null;
        try {
            orTooLarge(what, by.way());
            site.link(what.link());
            way = ways.of(by.way(), what);
            Move move = move(way, payload);
            System.err.printf(
                    Locale.ROOT,
                    "%s: gap %.0f ms, told %.0f ms%s%n",
                    title,
                    move.gapMillis(),
                    move.told().frozenMillis(),
                    round == 0 ? " (not counted)" : "");
            return Optional.of(move);
        } catch (Problem e) {
            failed(by, round, e);
            return Optional.empty();
        } finally {
            Way taken = way;
            if (taken != null) {
                undoing(() -> {
                    try {
                        taken.clean(payload);
                    } catch (Problem e) {
                        failed(by, round, e);
                    }
                });
            }
        }
    }

    private static void failed(Tried by, int round, Problem problem) {
        String text = PlainText.line(String.valueOf(problem.getMessage()), MOST_OF_FAILURE);
        by.failures().add("round " + round + ": " + text);
        System.err.printf("round %d, %s FAILED: %s%n", round, by.way(), text);
    }

    private void orTooLarge(BenchCase what, String way) throws Problem {
        if (!site.isHere() || Ways.isOurs(way)) {
            return;
        }
        long needed = (long) COPIES_BY_HAND * what.megabytes();
        long available = Memory.availableBytes() >> 20;
        if (needed >= available) {
            throw Problem.failed("not tried")
                    .because("it takes %d MiB, %d are free".formatted(needed, available));
        }
    }

    private Move move(Way way, Payload payload) throws Problem, InterruptedException {
        try (payload) {
            payload.start((options, words) -> way.start(payload, options, words));
            way.prepare(payload);
            Payload.Look start = payload.look();
            double idle = idle();
            Payload.Look before = payload.look();
            long sentBefore = site.sentBytes();
            ClockDifference clocks = site.clocks();
            Way.Told told;
            double busySeconds;
            double seconds;
            Double takenBytes;
            try (Meter meter = new Meter(site)) {
                told = way.move(payload);
                busySeconds = meter.busy();
                seconds = meter.seconds();
                takenBytes = meter.takenBytes();
            }
            long sentBytes = site.sentBytes() - sentBefore;
            Thread.sleep(QUIET_MILLIS);
            Payload.Look moved = payload.look();
            Thread.sleep(plan.pause);
            Payload.Look after = payload.look();
            payload.verify();
            double pace = before.pace(start);
            double gapMillis = moved.gapMillis() - clocks.millis();
            double own = idle * (seconds - gapMillis / 1e3);
            return new Move(
                    gapMillis,
                    moved.silenceMillis(),
                    before.gapMillis(),
                    moved.pace(before) / pace,
                    after.pace(moved) / pace,
                    busySeconds - own,
                    takenBytes,
                    sentBytes,
                    told);
        }
    }

    /** Processor seconds of a second in which nothing but the payload goes on. */
    private double idle() throws Problem, InterruptedException {
        try (Meter meter = new Meter(site)) {
            Thread.sleep(plan.pause);
            return meter.busy() / meter.seconds();
        }
    }

    /** The figures, case by case, the ways in their order. */
    List<MoveCase> figures() {
        List<MoveCase> figures = new ArrayList<>();
        tried.forEach((what, by) -> {
            Tried baseline = by.stream().filter(Tried::isBaseline).findFirst().orElse(null);
            for (Tried each : by) {
                figures.add(MoveCase.of(what, each, each.isBaseline() ? null : baseline));
            }
        });
        return figures;
    }

    /** Whether those who saw a standstill agree, in sentences. */
    List<String> agreement() {
        List<String> found = new ArrayList<>();
        tried.forEach((what, by) -> found.addAll(Agreement.of(what, by)));
        return found;
    }

    /** Of each case and way of ours the move in the middle. */
    List<DrawnMove> drawn() {
        List<DrawnMove> moves = new ArrayList<>();
        tried.forEach((what, by) -> {
            for (Tried each : by) {
                each.drawn(what.name() + ", " + each.way()).ifPresent(moves::add);
            }
        });
        return moves;
    }

    /** The longest gap in a pause with nothing going on; null if there was no move. */
    @Nullable Double noiseMillis() {
        return Results.figure(noise().median());
    }

    /** The same of all moves. */
    Sample noise() {
        return MoveCase.sample(
                tried.values().stream()
                        .flatMap(List::stream)
                        .flatMap(by -> by.all().stream())
                        .toList(),
                Move::noiseMillis);
    }
}
