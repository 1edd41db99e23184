package io.migrator.migration;

import io.migrator.fault.FaultPoint;
import io.migrator.instance.Instance;
import io.migrator.instance.ProcessTree;
import io.migrator.memory.JobSink;
import io.migrator.memory.PageFeed;
import io.migrator.memory.PreCopy;
import io.migrator.memory.Round;
import io.migrator.memory.StopRule;
import io.migrator.migration.MemoryWish.Way;
import io.migrator.problem.Problem;

import java.util.ArrayList;
import java.util.List;

/** The pre-copy of one migration: rounds until it is time to freeze. One thread. */
final class Rounds implements AutoCloseable {
    private final PreCopy copy;
    private final MemoryWish wish;
    private final Progress progress;
    private final List<Round> done = new ArrayList<>();

    Rounds(JobSink sink, Progress progress, Cancellation cancellation, MemoryWish wish) {
        this.wish = wish;
        this.progress = progress;
        PageFeed.Progress each =
                _ -> {
                    cancellation.orStop();
                };
        this.copy = new PreCopy(sink, each);
    }

    /** Sends the job's memory, as far as that is wanted and can be. */
    void run(Instance instance) throws Problem, InterruptedException {
        if (wish.way() == Way.STOP) {
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
            verdict = rule.decide(done);
        }
        if (verdict != StopRule.Verdict.FITS) {
            progress.chosen(
                    "memory: the job writes its memory as fast as it is copied: what is left goes"
                            + " while it stands still");
        }
    }

    private void orUnwatched(Instance instance) throws Problem {
        List<String> without = copy.unwatched();
        if (without.isEmpty()) {
            return;
        }
        if (wish.way() == Way.PRECOPY) {
            throw Problem.refused("the memory of '" + instance.name() + "' cannot be pre-copied")
                    .because(String.join("; ", without))
                    .tryThis("migrate with --memory stop");
        }
        if (done.isEmpty()) {
            without.forEach(each -> progress.chosen("memory: not pre-copied: " + each));
        }
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

    /** The rounds that were done before the freeze began. */
    List<Round> done() {
        return List.copyOf(done);
    }

    @Override
    public void close() throws InterruptedException {
        copy.close();
    }
}
