package io.migrator.memory;

import io.migrator.instance.ProcessTree;
import io.migrator.linux.PidFd;
import io.migrator.linux.Proc;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

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

    /** A fraction of a second on most links. */
    private static final long PART_BYTES = 64L << 20;

    private final JobSink sink;
    private final PageFeed.Progress progress;
    private final Pace pace;
    private final PageFeed feed;
    private final Inheritance inheritance = new Inheritance();

    /** By their pids; who is forked comes after its parent. */
    private final Map<Long, Watched> processes = new LinkedHashMap<>();

    private final Trackers trackers;
    private final long partBytes;

    /** In the round that goes on; one thread at a time is in one. */
    private long pausedNanos;

    private volatile boolean frozen;
    private volatile boolean enough;
    private boolean goesOn;

    /** The last round of the thread of its own. */
    private volatile long lastBegan = Long.MIN_VALUE;

    private volatile double lastMillis;
    private @Nullable Thread follower;
    private @Nullable Throwable failure;

    /**
     * What the job has on the target when it is frozen.
     *
     * @param sent pages that are there as they are here, inherited ones among them
     * @param inherited of these those that a process has of its parent
     */
    public record Copied(JobPages sent, JobPages inherited) {
        /** Nothing. */
        public static Copied none() {
            return new Copied(new JobPages(), new JobPages());
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
        this(sink, progress, pace, tracking, PART_BYTES);
    }

    /** The same, but a process is looked at in parts of another size. */
    PreCopy(
            JobSink sink,
            PageFeed.Progress progress,
            Pace pace,
            Tracking tracking,
            long partBytes) {
        this.partBytes = partBytes;
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
                    Watched parent = parent(member);
                    processes.put(process.pid(), new Watched(member, held, tracker, parent));
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

    /** Who forks it on the target; another may where it is in another's session (criu/Parents). */
    private @Nullable Watched parent(ProcessTree.Member member) throws IOException {
        Watched parent = processes.get(member.process().parent());
        boolean forks =
                parent != null
                        && (member.session() == member.pid()
                                || member.session() == parent.member.session())
                        && mayShare(member.process(), parent.member.process());
        return forks ? parent : null;
    }

    /**
     * Who executes another program has nothing of its parent's; and a mapping that one of the two
     * has locked is of another kind than the other's, which is noticed when the job stands still.
     * Where that cannot be told they share nothing: the child is to be watched all the same.
     */
    private static boolean mayShare(Proc child, Proc parent) {
        try {
            return Files.readSymbolicLink(child.file("exe"))
                            .equals(Files.readSymbolicLink(parent.file("exe")))
                    && Math.abs(lockedBytes(parent) - lockedBytes(child)) < Inheritance.LEAST_BYTES;
        } catch (IOException e) {
            return false;
        }
    }

    private static long lockedBytes(Proc process) throws IOException {
        String kilobytes = process.status("VmLck").orElse("0 kB").split(" ", 2)[0];
        return Long.parseLong(kilobytes) << 10;
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

    /** What processes inherit of their parents, and was not sent. */
    public long inheritedBytes() {
        return processes.values().stream().mapToLong(each -> each.inherited.bytes()).sum();
    }

    /** Sends what was written since the round before; in the first one, all. */
    public Round round() throws Problem, InterruptedException {
        return round(feed);
    }

    /** What the target keeps, pages that the job has given back meanwhile among it. */
    public long keptBytes() {
        return processes.values().stream().mapToLong(each -> each.kept.bytes()).sum();
    }

    /** What the next round would send, as far as it can be told; empty if it cannot. */
    public OptionalLong writtenBytes() {
        Map<Watched, PageSet> written = new HashMap<>();
        for (Watched each : processes.values()) {
            WriteTracker tracker = each.tracker;
            try {
                Optional<PageSet> pages =
                        tracker == null ? Optional.of(Watched.NOTHING) : tracker.foreseen();
                if (pages.isEmpty()) {
                    return OptionalLong.empty();
                }
                written.put(each, pages.get());
            } catch (IOException e) {
                // it has ended
            }
        }
        long bytes = 0;
        for (Watched each : processes.values()) {
            PageSet lost = each.inherited.copy();
            lost.retainAll(written.getOrDefault(each.parent, Watched.NOTHING));
            bytes += lost.bytes() + written.getOrDefault(each, Watched.NOTHING).bytes();
        }
        return OptionalLong.of(bytes);
    }

    private Round round(PageFeed way) throws Problem, InterruptedException {
        long startNanos = System.nanoTime();
        long before = way.sentBytes();
        pausedNanos = 0;
        for (Watched each : processes.values()) {
            round(each, way);
        }
        double millis = (System.nanoTime() - startNanos) / NANOS_PER_MILLI;
        return new Round(way.sentBytes() - before, millis, pausedNanos / NANOS_PER_MILLI);
    }

    private void round(Watched process, PageFeed way) throws Problem, InterruptedException {
        WriteTracker tracker = process.tracker;
        if (tracker == null || frozen) {
            return;
        }
        try {
            tracker.begin();
            for (PageRange part : process.parts(partBytes)) {
                if (!frozen) {
                    PageSet wanted = written(tracker, part, process.sent);
                    tracker.orBlind();
                    sendWritten(process, wanted, way);
                }
            }
        } catch (IOException e) {
            process.retired.add(tracker);
            process.tracker = trackers.insteadOf(tracker, process.member, e);
            keepInherited(process, Watched.NOTHING);
        }
    }

    private PageSet written(WriteTracker tracker, PageRange part, PageSet known)
            throws IOException {
        long began = System.nanoTime();
        PageSet found = tracker.written(part, known);
        if (tracker.isQuick()) {
            pausedNanos += System.nanoTime() - began;
        }
        return found;
    }

    /** Of a part what was written in it; what is inherited meanwhile need not be sent. */
    private void sendWritten(Watched process, PageSet wanted, PageFeed way)
            throws Problem, InterruptedException {
        process.inherited.retainAll(process.sent);
        keepInherited(process, process.sent);
        process.inherit(wanted, inheritance, follower != null);
        process.expect(wanted.bytes());
        for (List<PageRange> batch : PageFeed.batches(wanted.ranges())) {
            long pausing = System.nanoTime();
            pace.await(() -> frozen);
            pausedNanos += System.nanoTime() - pausing;
            if (frozen) {
                batch.forEach(each -> process.left.add(each.start(), each.end()));
            } else {
                send(process, batch, way);
            }
        }
    }

    private void keepInherited(Watched parent, PageSet pages) {
        for (Watched each : processes.values()) {
            if (each.parent == parent) {
                each.keepInherited(pages);
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
     * @return whether one was; also if there are no rounds
     */
    public boolean settle(Duration downtime, Duration longest) throws InterruptedException {
        Thread following = follower;
        long from = System.nanoTime();
        long end = from + longest.toNanos();
        while (following != null && following.isAlive()) {
            if (lastBegan >= from && lastMillis <= downtime.toMillis()) {
                return true;
            }
            if (System.nanoTime() > end) {
                return false;
            }
            Thread.sleep(PAUSE_MILLIS);
        }
        return true;
    }

    /** Ends the rounds before the freeze, as they are in vain. */
    public void pause() throws InterruptedException {
        frozen = true;
        if (follower != null) {
            follower.join();
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
                double millis = round(own).sendingMillis();
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
     * @param mostBytes to be sent; none is if there are more
     * @throws Problem if a round on the other thread failed
     */
    public Copied last(long mostBytes) throws Problem, InterruptedException {
        endRounds();
        JobPages found = new JobPages();
        Set<Watched> there = new LinkedHashSet<>();
        for (Watched each : processes.values()) {
            WriteTracker tracker = each.tracker;
            try {
                if (tracker != null && each.process.exists()) {
                    tracker.orBlind();
                    each.left.addAll(tracker.keepUnwritten(each.sent));
                    if (!goesOn) {
                        each.retired.add(tracker); // it need not know what is sent now
                        each.tracker = null;
                    }
                    there.add(each);
                }
            } catch (IOException e) { // all of it is sent again
                each.retired.add(tracker); // it was blind for a while
                each.tracker = null;
            }
        }
        JobPages inherited = inherited(there);
        if (there.stream().mapToLong(each -> each.left.bytes()).sum() <= mostBytes) {
            for (Watched each : there) {
                send(each, each.left, feed);
            }
        }
        for (Watched each : there) { // who gets them takes pages out
            found.put(each.member.pid(), goesOn ? each.sent.copy() : each.sent);
        }
        return new Copied(found, inherited);
    }

    /** The job will run on after {@link #last}, and then be copied again; before anything else. */
    public void goOn() {
        goesOn = true;
    }

    /** The job runs on, and the target keeps what it has: the next round sends what changes. */
    public void thaw() {
        frozen = false;
        enough = false;
        follower = null;
        processes.values().removeIf(PreCopy::isLost);
        for (Watched each : processes.values()) {
            WriteTracker tracker = each.tracker;
            each.left = new PageSet();
            if (tracker != null) {
                tracker.thaw();
            }
        }
    }

    /** It has ended, or is to be watched anew. */
    private static boolean isLost(Watched process) {
        try {
            if (process.tracker != null && process.process.exists()) {
                return false;
            }
        } catch (IOException e) {
            // it cannot be told
        }
        end(process);
        return true;
    }

    /** In the end, when nothing is written any more. */
    private static JobPages inherited(Set<Watched> there) {
        for (Watched each : there) {
            each.inherited.retainAll(each.sent);
        }
        boolean again = true;
        while (again) { // what one has lost its children have, too
            again = false;
            for (Watched each : there) {
                Watched from = each.parent;
                again |=
                        each.keepInherited(
                                from != null && there.contains(from) ? from.sent : Watched.NOTHING);
            }
        }
        JobPages found = new JobPages();
        for (Watched each : there) {
            each.left.addAll(each.lost());
            found.put(each.member.pid(), each.inherited.copy());
        }
        return found;
    }

    private void send(Watched process, PageSet pages, PageFeed way)
            throws Problem, InterruptedException {
        for (List<PageRange> batch : PageFeed.batches(pages.ranges())) {
            if (!enough) {
                send(process, batch, way);
            }
        }
    }

    /** Lets the last round end soon. What it sends at the moment is sent whole. Any thread. */
    public void enough() {
        enough = true;
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
        processes.values().forEach(PreCopy::end);
        processes.clear();
        feed.close();
        inheritance.close();
    }

    private static void end(Watched process) {
        if (process.tracker != null) {
            process.retired.add(process.tracker);
        }
        process.retired.forEach(tracker -> {
            tracker.close();
            tracker.mend();
        });
        process.process.close();
    }
}
