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

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The pre-copy of one migration: rounds until it is time to freeze. One thread. */
final class Rounds implements AutoCloseable {
    /** Images and the other jobs of the target need some. */
    private static final double MOST_OF_ROOM = 0.8;

    private final PreCopy copy;
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

    /**
     * None is done yet.
     *
     * @param room for pages on the target, bytes
     */
    Rounds(JobSink sink, Progress progress, Cancellation cancellation, MemoryWish wish, long room) {
        this.wish = wish;
        this.room = room;
        this.progress = progress;
        PageFeed.Progress each =
                sentBytes -> {
                    progress.sent(sentBytes, Math.max(wanted, sentBytes));
                    cancellation.orStop();
                };
        this.copy =
                new PreCopy(
                        sink,
                        each,
                        new Pace(wish.bytesPerSecond(), sink::sentBytes),
                        wish.tracking());
    }

    /** Sends the job's memory, as far as that is wanted and can be. */
    void run(Instance instance) throws Problem, InterruptedException {
        if (wish.way() == Way.STOP || !fits(instance)) {
            return;
        }
        StopRule rule = new StopRule(wish.downtime());
        StopRule.Verdict verdict = StopRule.Verdict.AGAIN;
        while (verdict == StopRule.Verdict.AGAIN) {
            copy.watch(ProcessTree.of(instance));
            orUnwatched(instance);
            if (!copy.watches()) {
                return;
            }
            Round round = copy.round();
            done.add(round);
            progress.round(done.size(), round);
            FaultPoint.SOURCE_COPYING.reached();
            verdict = isFull() ? StopRule.Verdict.LIMIT : rule.decide(done);
        }
        switch (verdict) {
            case NO_GAIN ->
                    progress.chosen(
                            "memory: the job writes as fast as it is copied; what is left goes"
                                    + " while it stands still");
            case LIMIT ->
                    progress.chosen(
                            "memory: enough rounds; what is left goes while the job stands still");
            case FITS, AGAIN -> {}
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
        if (wish.way() == Way.PRECOPY) {
            throw Problem.refused("the memory of '" + instance.name() + "' cannot be pre-copied")
                    .because(what)
                    .tryThis("make room there, or migrate with --memory stop");
        }
        progress.chosen("memory: not pre-copied: " + what);
        return false;
    }

    /** Pages of memory that the job has given back meanwhile stay there, too. */
    private boolean isFull() {
        return done.stream().mapToLong(Round::bytes).sum() > MOST_OF_ROOM * room;
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
        if (wish.way() == Way.PRECOPY) {
            throw Problem.refused("the memory of '" + instance.name() + "' cannot be pre-copied")
                    .because(String.join("; ", fresh))
                    .tryThis("migrate with --track hash, or with --memory stop");
        }
        fresh.forEach(each -> progress.chosen("memory: not pre-copied: " + each));
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
     * Returns when the rounds have caught up with what was written meanwhile, or cannot so soon.
     */
    void settle(Duration longest) throws InterruptedException {
        copy.settle(wish.downtime(), longest);
    }

    /** The rounds that were done before criu began. */
    List<Round> done() {
        return List.copyOf(done);
    }

    @Override
    public void close() throws InterruptedException {
        copy.close();
    }
}
