package io.migrator.memory;

import io.migrator.instance.ProcessTree;
import io.migrator.linux.PidFd;
import io.migrator.linux.Proc;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The job's memory goes to the target while the job runs, in rounds: first all of it, then each
 * time what was written since (pre-copy; Clark et al., "Live Migration of Virtual Machines", NSDI
 * 2005). What is written last goes while criu dumps the job.
 *
 * <p>{@link #watch} and {@link #round} are called by one thread; between {@link #follow} and {@link
 * #last} a thread of its own goes on, so that little is written while criu starts.
 */
public final class PreCopy implements AutoCloseable {
    /** Between two rounds while criu starts: it needs the processors, too. */
    private static final long PAUSE_MILLIS = 2;

    private static final double NANOS_PER_MILLI = 1e6;

    private final JobSink sink;
    private final PageFeed.Progress progress;
    private final Pace pace;
    private final PageFeed feed;
    private final Map<Long, Watched> processes = new HashMap<>();
    private final Trackers trackers;
    private volatile boolean frozen;
    private volatile boolean unwanted;

    /** The last round of the thread of its own. */
    private volatile long lastBegan = Long.MIN_VALUE;

    private volatile double lastMillis;
    private @Nullable Thread follower;
    private @Nullable Throwable failure;

    /** A process that is watched, and what of it is on the target. */
    private static final class Watched {
        private final ProcessTree.Member member;
        private final PidFd process;
        private final PageSet sent = new PageSet();

        /** What the round that met the freeze had still to send. */
        private final PageSet left = new PageSet();

        /** Null if it cannot be watched, or cannot any more. */
        private @Nullable WriteTracker tracker;

        /** That were of no use any more: to end one merges mappings, which criu may be reading. */
        private final List<WriteTracker> retired = new ArrayList<>();

        private Watched(ProcessTree.Member member, PidFd process, @Nullable WriteTracker tracker) {
            this.member = member;
            this.process = process;
            this.tracker = tracker;
        }

        private void sent(List<PageRange> places, ByteBuffer pages) {
            places.forEach(each -> sent.add(each.start(), each.end()));
            if (tracker != null) {
                tracker.sent(places, pages);
            }
        }
    }

    /**
     * Nothing is watched yet.
     *
     * @param progress told the bytes sent so far
     * @param pace of the rounds
     * @param tracking of the writes
     */
    public PreCopy(JobSink sink, PageFeed.Progress progress, Pace pace, Tracking tracking) {
        this.pace = pace;
        this.trackers = new Trackers(tracking);
        this.sink = sink;
        this.progress = progress;
        this.feed = new PageFeed(sink, progress);
    }

    /** Watches the processes of a tree that are not watched yet. */
    public void watch(ProcessTree tree) {
        for (ProcessTree.Member member : tree.members()) {
            if (!processes.containsKey(member.process().pid())) {
                watch(member);
            }
        }
    }

    private void watch(ProcessTree.Member member) {
        Proc process = member.process();
        PidFd held = null;
        try {
            held = PidFd.open(process.pid());
            if (process.innerPid() == member.pid() && !borrowsMemory(held, process)) {
                WriteTracker tracker = trackers.of(member, held);
                if (tracker != null || !Trackers.isEnding(process)) {
                    processes.put(process.pid(), new Watched(member, held, tracker));
                    return;
                }
            }
        } catch (IOException e) {
            // it has ended
        }
        if (held != null) {
            held.close();
        }
    }

    /**
     * A child that runs in its parent's memory until it executes a program (vfork(2)) must not have
     * that watched for it: what it takes, its parent's tracker would take for its own.
     */
    private static boolean borrowsMemory(PidFd child, Proc process) throws IOException {
        long parent = process.parent();
        return parent > 0 && child.sharesMemoryWith(parent);
    }

    /** Processes that cannot be watched, and why. */
    public List<String> unwatched() {
        return trackers.unwatched();
    }

    /** Processes that are watched in another way than usual, and why. */
    public List<String> notes() {
        return trackers.notes();
    }

    /** Whether any process is watched. */
    public boolean watches() {
        return processes.values().stream().anyMatch(each -> each.tracker != null);
    }

    /** Sends what was written since the round before; in the first one, all. */
    public Round round() throws Problem, InterruptedException {
        return round(feed);
    }

    private Round round(PageFeed way) throws Problem, InterruptedException {
        long startNanos = System.nanoTime();
        long before = way.sentBytes();
        for (Watched each : processes.values()) {
            round(each, way);
        }
        double millis = (System.nanoTime() - startNanos) / NANOS_PER_MILLI;
        return new Round(way.sentBytes() - before, millis);
    }

    private void round(Watched process, PageFeed way) throws Problem, InterruptedException {
        WriteTracker tracker = process.tracker;
        if (tracker == null || frozen) {
            return;
        }
        PageSet wanted;
        try {
            wanted = tracker.written(process.sent);
            tracker.orBlind();
        } catch (IOException e) {
            process.retired.add(tracker);
            process.tracker = trackers.insteadOf(tracker, process.member, e);
            return;
        }
        for (List<PageRange> batch : PageFeed.batches(wanted.ranges())) {
            pace.await(() -> frozen);
            if (frozen) {
                batch.forEach(each -> process.left.add(each.start(), each.end()));
            } else {
                send(process, batch, way);
            }
        }
    }

    /** What cannot be read is gone, or for the freeze: the rest of the batch is sent. */
    private static void send(Watched process, List<PageRange> batch, PageFeed way)
            throws Problem, InterruptedException {
        try {
            way.send(process.member.pid(), process.process, batch, process::sent);
        } catch (IOException e) {
            List<PageRange> pages = pages(batch);
            for (int each = 0; each < pages.size() && pages.size() > 1; each++) {
                send(process, pages.subList(each, each + 1), way);
            }
        }
    }

    private static List<PageRange> pages(List<PageRange> ranges) {
        List<PageRange> pages = new ArrayList<>();
        for (PageRange range : ranges) {
            for (long at = range.start(); at < range.end(); at += PageSet.PAGE_BYTES) {
                pages.add(new PageRange(at, at + PageSet.PAGE_BYTES));
            }
        }
        return pages;
    }

    /** Goes on with rounds on a thread of its own, for processes that are watched by now. */
    public void follow() {
        follower = Thread.ofPlatform().daemon().name("pre-copy").start(this::rounds);
    }

    /**
     * Waits until a round that began after this was called was short enough, for a while.
     *
     * @param downtime that it may have taken
     * @param longest wait
     */
    public void settle(Duration downtime, Duration longest) throws InterruptedException {
        Thread following = follower;
        long from = System.nanoTime();
        long end = from + longest.toNanos();
        while (following != null
                && following.isAlive()
                && System.nanoTime() < end
                && !(lastBegan >= from && lastMillis <= downtime.toMillis())) {
            Thread.sleep(PAUSE_MILLIS);
        }
    }

    /** Nothing of the job runs any more, and it is about to be dumped. */
    public void freeze() {
        frozen = true;
        for (Watched each : processes.values()) {
            WriteTracker tracker = each.tracker;
            if (tracker != null) {
                tracker.freeze();
            }
        }
    }

    private void rounds() {
        try (PageFeed own = new PageFeed(sink, progress)) {
            while (!frozen) {
                long began = System.nanoTime();
                double millis = round(own).millis();
                lastMillis = millis;
                lastBegan = began;
                Thread.sleep(PAUSE_MILLIS);
            }
        } catch (Throwable e) { // an error, too: what was reset and not sent must not count as sent
            failure = e;
        }
    }

    /**
     * The last round, of a job that is frozen: what was written last is sent. Any thread.
     *
     * @return what is on the target as it is here
     * @throws Problem if a round on the other thread failed
     */
    public JobPages last() throws Problem, InterruptedException {
        endRounds();
        JobPages found = new JobPages();
        try (PageFeed own = new PageFeed(sink, progress)) {
            for (Watched each : processes.values()) {
                WriteTracker tracker = each.tracker;
                try {
                    if (tracker != null && each.process.exists()) {
                        tracker.orBlind();
                        each.left.addAll(tracker.keepUnwritten(each.sent));
                        each.retired.add(tracker); // it need not know what is sent now
                        each.tracker = null;
                        send(each, each.left, own);
                        found.put(each.member.pid(), each.sent);
                    }
                } catch (IOException e) {
                    // all of it is sent again
                }
            }
        }
        return found;
    }

    private void send(Watched process, PageSet pages, PageFeed way)
            throws Problem, InterruptedException {
        for (List<PageRange> batch : PageFeed.batches(pages.ranges())) {
            if (!unwanted) {
                send(process, batch, way);
            }
        }
    }

    /** Lets the last round end soon: the job stays. What it sends at the moment is sent whole. */
    public void giveUp() {
        unwanted = true;
    }

    private void endRounds() throws Problem, InterruptedException {
        frozen = true;
        if (follower == null) {
            return;
        }
        follower.join();
        Throwable found = failure;
        if (found instanceof Problem problem) {
            throw problem;
        }
        if (found != null) {
            throw Problem.failed("pre-copy failed").because(found.toString());
        }
    }

    /** Ends the watching; for a large job that takes a while, about 35 ms for a GB. */
    @Override
    public void close() throws InterruptedException {
        frozen = true;
        if (follower != null) {
            follower.interrupt();
            follower.join();
        }
        for (Watched each : processes.values()) {
            if (each.tracker != null) {
                each.retired.add(each.tracker);
            }
            each.retired.forEach(tracker -> {
                tracker.close();
                tracker.mend();
            });
            each.process.close();
        }
        processes.clear();
        feed.close();
    }
}
