package io.migrator.migration;

import io.migrator.fault.FaultPoint;
import io.migrator.instance.Instance;
import io.migrator.instance.ProcessTree;
import io.migrator.memory.JobSink;
import io.migrator.memory.Pace;
import io.migrator.memory.PageFeed;
import io.migrator.memory.PreCopy;
import io.migrator.memory.Round;
import io.migrator.memory.StopRule;
import io.migrator.migration.MemoryWish.Way;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** The pre-copy of one migration: rounds until it is time to freeze. One thread. */
final class Rounds implements AutoCloseable {
    /** Images and the other jobs of the target need some. */
    private static final double MOST_OF_ROOM = 0.8;

    /** Rounds in vain before the job has to stand still for what it writes. */
    private static final int PATIENCE = 2;

    /** So much goes at once even if it may go later. */
    private static final long LITTLE_BYTES = 1 << 20;

    /**
     * By so much a job stands still longer if something follows: for the list of it, what watches
     * for its pages, and the first of them (docs/decisions/0024).
     */
    private static final Duration COSTS = Duration.ofMillis(15);

    private final PreCopy copy;
    private final @Nullable Series series;
    private boolean kept;
    private final long room;

    /** Private memory of the job at the beginning. */
    private volatile long wanted;

    /** How many processes that cannot be watched the user was told of. */
    private int told;

    /** How many that are watched in another way. */
    private int noted;

    private final MemoryWish wish;
    private final Progress progress;
    private final List<Round> done = new ArrayList<>();
    private final Steps steps = new Steps();

    /**
     * None is done yet.
     *
     * @param room for pages on the target, bytes
     * @param series of which this is a copy; null if of none
     */
    Rounds(
            JobSink sink,
            Progress progress,
            Cancellation cancellation,
            MemoryWish wish,
            long room,
            @Nullable Series series) {
        this.wish = wish;
        this.series = series;
        this.room = room;
        this.progress = progress;
        PageFeed.Progress each =
                sentBytes -> {
                    progress.sent(sentBytes, Math.max(wanted, sentBytes));
                    cancellation.orStop();
                };
        this.copy =
                series == null
                        ? new PreCopy(
                                sink,
                                each,
                                new Pace(wish.bytesPerSecond(), sink::sentBytes),
                                wish.tracking())
                        : series.next(sink, each, wish);
    }

    /** Sends the job's memory, as far as that is wanted and can be. */
    void run(Instance instance) throws Problem, InterruptedException {
        if (wish.way() == Way.STOP || !fits(instance)) {
            return;
        }
        StopRule rule = new StopRule(wish.downtime(), wish.way() == Way.HYBRID ? 1 : PATIENCE);
        StopRule.Verdict verdict = StopRule.Verdict.AGAIN;
        OptionalLong written = OptionalLong.empty();
        boolean watches = watches(instance);
        while (watches && verdict == StopRule.Verdict.AGAIN) {
            Round round;
            try (Steps.Begun _ = steps.begin("round " + (done.size() + 1))) {
                round = copy.round();
            }
            done.add(round);
            progress.round(done.size(), round);
            FaultPoint.SOURCE_COPYING.reached();
            watches = watches(instance); // what came meanwhile is to be sent, too
            written = copy.writtenBytes();
            verdict = rule.decide(done, written);
            if (verdict == StopRule.Verdict.AGAIN && copy.keptBytes() > MOST_OF_ROOM * room) {
                verdict = StopRule.Verdict.LIMIT;
            }
        }
        if (!watches || verdict == StopRule.Verdict.FITS) {
            return;
        }
        if (wish.stays()) {
            throw tooFast(instance, written);
        }
        progress.chosen(
                (verdict == StopRule.Verdict.NO_GAIN
                                ? "memory: the job writes as fast as it is copied"
                                : "memory: enough rounds")
                        + (wish.way() == Way.HYBRID
                                ? "; what is left may follow when the job runs on the target"
                                : "; what is left goes while the job stands still"));
    }

    private boolean watches(Instance instance) throws Problem {
        copy.watch(ProcessTree.of(instance));
        orUnwatched(instance);
        return copy.watches();
    }

    private Problem tooFast(Instance instance, OptionalLong written) {
        double millis = StopRule.predictedMillis(done, written);
        return tooFast(
                instance,
                "after %d rounds %d MB were left%s"
                        .formatted(
                                done.size(),
                                written.orElse(done.getLast().bytes()) >> 20,
                                Double.isInfinite(millis)
                                        ? ""
                                        : ", some %.0f ms in which it would stand still"
                                                .formatted(millis)));
    }

    private Problem tooFast(Instance instance, String why) {
        return Problem.failed("'%s' writes its memory too fast".formatted(instance.name()))
                .because(why + "; --downtime allows %d ms".formatted(wish.downtime().toMillis()))
                .tryThis("allow a longer --downtime, or migrate without --too-fast stay");
    }

    /**
     * Fails if the job is to stay where the rounds have not caught up.
     *
     * @param settled whether they have
     */
    void orTooFast(Instance instance, boolean settled) throws Problem {
        if (wish.stays() && !settled) {
            throw tooFast(instance, "when criu was ready no round was short enough");
        }
    }

    /** What is sent is kept on the target until the job is restored there. */
    private boolean fits(Instance instance) throws Problem {
        ProcessTree tree = ProcessTree.of(instance);
        wanted = tree.residentBytes() - tree.imageBytes();
        if (wanted <= MOST_OF_ROOM * room) {
            return true;
        }
        String what =
                "%d MB of memory, and %d MB of room for it on the target"
                        .formatted(wanted >> 20, room >> 20);
        if (wish.way() == Way.PRECOPY || wish.stays()) {
            throw Problem.refused("the memory of '" + instance.name() + "' cannot be pre-copied")
                    .because(what)
                    .tryThis("make room there, or migrate " + otherwise());
        }
        progress.chosen("memory: not pre-copied: " + what);
        return false;
    }

    private String otherwise() {
        return wish.stays() ? "without --too-fast stay" : "with --memory stop";
    }

    private void orUnwatched(Instance instance) throws Problem {
        List<String> notes = copy.notes();
        notes.subList(noted, notes.size()).forEach(each -> progress.chosen("memory: " + each));
        noted = notes.size();
        List<String> without = copy.unwatched();
        List<String> fresh = without.subList(told, without.size());
        told = without.size();
        if (fresh.isEmpty()) {
            return;
        }
        if (wish.way() == Way.PRECOPY || wish.stays()) {
            throw Problem.refused("the memory of '" + instance.name() + "' cannot be pre-copied")
                    .because(String.join("; ", fresh))
                    .tryThis("migrate with --track hash, or " + otherwise());
        }
        fresh.forEach(each -> progress.chosen("memory: not pre-copied: " + each));
    }

    /**
     * What goes while the job stands still, all or nothing of it: where that takes less than what
     * follows costs, nothing does.
     */
    long mostBytes() {
        if (wish.way() != Way.HYBRID) {
            return Long.MAX_VALUE;
        }
        Duration time = wish.downtime().compareTo(COSTS) > 0 ? wish.downtime() : COSTS;
        return Math.max(LITTLE_BYTES, (long) StopRule.bytesWithin(time, done));
    }

    /** What was copied. */
    PreCopy copy() {
        return copy;
    }

    /** Goes on in the background until the job is frozen. */
    void follow() {
        if (!done.isEmpty()) {
            copy.follow();
        }
    }

    /**
     * Waits until the rounds have caught up with what was written meanwhile; returns whether they
     * have.
     */
    boolean settle(Duration longest) throws InterruptedException {
        return copy.settle(wish.downtime(), longest);
    }

    /** The rounds that were done before criu began. */
    List<Round> done() {
        return List.copyOf(done);
    }

    /** When they were. */
    Steps steps() {
        return steps;
    }

    /** The target keeps the copy, and the job runs on. */
    void kept() {
        kept = true;
    }

    /** Ends the watch, but for the next copy of a series. */
    @Override
    public void close() throws InterruptedException {
        if (series == null) {
            copy.close();
        } else if (kept) {
            series.kept();
        } else {
            series.beginAnew(); // what was sent is nowhere
        }
    }
}
