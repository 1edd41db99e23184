package io.migrator.migration;

import io.migrator.fault.FaultPoint;
import io.migrator.handover.Journal;
import io.migrator.instance.ProcessTree;
import io.migrator.memory.HeldTree;
import io.migrator.memory.HiddenPages;
import io.migrator.memory.JobPages;
import io.migrator.memory.PageFeed;
import io.migrator.memory.PostCopy;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/**
 * The memory that follows a job which runs on the target already. Its source stands still until all
 * of it is there; a link that breaks is made again. One thread.
 */
final class Following implements AutoCloseable {
    private static final Duration PAUSE = Duration.ofSeconds(1);

    /** Within this what is sent at a time is sent, but over a line that is dead. */
    private static final Duration BATCH = Duration.ofSeconds(2);

    private static final String UNSENT = "the memory of the job could not be sent";

    private final Target target;
    private final PostCopy memory;
    private final PageFeed.Progress progress;
    private final Background sending;

    private Following(Target target, PostCopy memory, Progress shown) {
        this.target = target;
        this.memory = memory;
        long all = memory.bytes();
        this.progress =
                sentBytes -> {
                    shown.sent(Math.min(sentBytes, all), all);
                    if (2 * sentBytes >= all) {
                        FaultPoint.SOURCE_FILLING.reached();
                    }
                };
        this.sending = Background.ready("post-copy", () -> memory.send(target.sink(), progress));
    }

    /** What is late of a frozen tree; nothing is sent yet. */
    static Following of(Target target, ProcessTree frozen, JobPages late, Progress shown)
            throws IOException {
        PostCopy memory = new PostCopy(new HeldTree(frozen), late);
        return new Following(target, memory, shown);
    }

    /**
     * What is late of a tree whose migrator has died.
     *
     * @param images directory
     */
    static PostCopy left(ProcessTree frozen, Path images) throws IOException {
        JobPages late = HiddenPages.late(images).all(Long.MAX_VALUE);
        PostCopy memory = new PostCopy(new HeldTree(frozen), late);
        memory.runs();
        return memory;
    }

    /** The target restores the job: sends what criu waits for, in the background. */
    void begin() {
        sending.go();
    }

    /** How much it is. */
    long bytes() {
        return memory.bytes();
    }

    /** Fails if what should have been sent by now could not be: the job may not be given away. */
    void orFailed() throws Problem, InterruptedException, IOException {
        if (sending.hasEnded()) {
            sending.await(UNSENT);
        }
        memory.orGone();
    }

    /** The job waits for a page. Any thread. */
    void wanted(int pid, long address) {
        memory.wanted(pid, address);
    }

    /**
     * The job runs there: returns when it lacks nothing.
     *
     * @param far the target by another connection, where this one fails
     * @param longest to go on trying
     * @throws Problem of exit code UNDECIDED if it lacks something then
     */
    void complete(FarNode far, Journal.Head head, Duration longest, boolean linked)
            throws Problem, InterruptedException {
        memory.runs();
        Problem last = Problem.failed("the target did not answer");
        if (linked) {
            try {
                sending.await(UNSENT);
                target.fill();
                return;
            } catch (Problem e) {
                last = e;
            }
        }
        sending.stop();
        target.close(); // as long as it is at work no other can be
        long end = System.nanoTime() + longest.toNanos();
        while (System.nanoTime() < end) {
            try {
                far.fill(head.id(), head.token(), memory, progress);
                return;
            } catch (Problem e) {
                last = e;
                Thread.sleep(PAUSE);
            }
        }
        throw Problem.undecided(
                        "%d MB of the job's memory did not get to the target"
                                .formatted(memory.bytes() >> 20))
                .because(last.getMessage())
                .tryThis("migrator recover, when the target can be reached")
                .causedBy(last);
    }

    @Override
    public void close() {
        memory.enough();
        sending.stop(BATCH); // one that is interrupted as it sends breaks the line
        memory.close();
    }
}
