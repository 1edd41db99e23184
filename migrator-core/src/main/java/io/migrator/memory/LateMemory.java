package io.migrator.memory;

import io.migrator.linux.Keeper;
import io.migrator.linux.Proc;
import io.migrator.linux.UserFault;
import io.migrator.linux.UserFault.Filled;
import io.migrator.linux.UserFault.Outcome;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Memory of a job that runs here and comes from its source meanwhile: a thread that touches a page
 * before it is there waits for it in the kernel (userfaultfd(2)). Follows what the job does with
 * that memory: it forks, moves it, gives it back. What outlives this process are the keeper's
 * descriptors and the log, and another can go on (docs/decisions/0020-hybrid.md). Any thread.
 */
public final class LateMemory implements AutoCloseable {
    private static final int POLL_MILLIS = 2;
    private static final int BUSY_MILLIS = 1;

    /** Looks for events between two looks for what has ended. */
    private static final int SWEEP = 100;

    private static final Duration NO_MEMORY = Duration.ofSeconds(30);

    /**
     * A process that holds descriptors, or may.
     *
     * @param startTime with the pid its identity
     */
    public record Keeping(long pid, long startTime) {}

    /** Told which page the job waits for. */
    @FunctionalInterface
    public interface Wanting {
        /** By the process's pid inside the instance, and its address on the source. */
        void page(int pid, long address) throws IOException;
    }

    private JobPages late = new JobPages();
    private final Wanting wanting;
    private Keeper keeper;
    private final LateLog log;
    private final JobPages asked = new JobPages();
    private final List<LateSpace> spaces = new ArrayList<>();
    private final Set<Integer> came = new HashSet<>();
    private final List<Touched> early = new ArrayList<>();
    private final Thread events =
            Thread.ofPlatform().daemon().name("late memory").unstarted(this::follow);
    private volatile boolean closed;
    private boolean expected;
    private boolean unwanted;
    private volatile @Nullable Throwable failure;

    /** A page that was touched while the kernel was busy with what the job did to its memory. */
    private record Touched(LateSpace space, long address) {}

    private LateMemory(Path images, Wanting wanting, Keeper keeper) throws IOException {
        this.wanting = wanting;
        this.keeper = keeper;
        this.log = LateLog.in(images);
        log.keeper(new Proc(keeper.pid()));
    }

    /** All processes that may hold descriptors of the memory of which the log is there. */
    public static List<Keeping> keepersIn(Path images) throws IOException {
        return LateLog.keepers(images);
    }

    /**
     * That of a job which will be restored.
     *
     * @param images directory
     * @param keeper of the descriptors; this object's from now on
     */
    public static LateMemory of(Path images, Wanting wanting, Keeper keeper) throws IOException {
        LateMemory fresh = new LateMemory(images, wanting, keeper);
        fresh.events.start(); // which waits
        return fresh;
    }

    /**
     * Says what is to come, before anything comes.
     *
     * @param pages not to be changed any more
     */
    public synchronized void expect(JobPages pages) {
        late = pages;
        expected = true;
        notifyAll();
    }

    /**
     * That of a job which runs, and whose memory a process filled that is dead.
     *
     * @param keeper a new one; this object's from now on. If this fails it goes on, as the log may
     *     name it
     * @throws IOException if nobody holds the descriptors any more: the job is lost
     */
    public static LateMemory goOn(JobPages late, Path images, Wanting wanting, Keeper keeper)
            throws IOException {
        List<LateLog.Logged> logged = LateLog.read(images, late);
        LateMemory found = new LateMemory(images, wanting, keeper);
        found.expect(late);
        try {
            found.takeOver(logged);
        } catch (IOException e) {
            found.close();
            throw e;
        }
        found.events.start();
        return found;
    }

    /** All or nothing: what the log says is left as it is until the new keeper holds all. */
    private void takeOver(List<LateLog.Logged> logged) throws IOException {
        List<Integer> held = new ArrayList<>();
        for (LateLog.Logged each : logged) {
            if (!each.isKept()) {
                throw new IOException("process " + each.keeper() + " is gone");
            }
            UserFault memory = Keeper.taken(each.keeper(), each.held());
            spaces.add(
                    new LateSpace(
                            each.number(),
                            each.pid(),
                            memory,
                            log,
                            late.of(each.pid()),
                            each.lacks(),
                            each.moves()));
            held.add(keeper.hold(memory));
        }
        for (LateSpace each : spaces) {
            note(each, each.number(), held.get(each.number()));
            came.add(each.pid());
            each.memory().wakeAll(); // what was read of it and not answered comes again
        }
    }

    /**
     * A process's memory, before the process does anything with it.
     *
     * @param pid inside the instance
     * @param memory this object's from now on
     */
    public synchronized void adopt(int pid, UserFault memory) throws IOException {
        int number = spaces.size();
        PageSet all = late.of(pid);
        PageSet lacks = all.copy();
        add(new LateSpace(number, pid, memory, log, all, lacks, new Moves()), number);
        came.add(pid);
        notifyAll();
    }

    private void add(LateSpace space, int parent) throws IOException {
        try {
            note(space, parent, keeper.hold(space.memory()));
        } catch (IOException e) {
            if (keeper.isAlive()) {
                throw e;
            }
            renew();
            note(space, parent, keeper.hold(space.memory()));
        }
        spaces.add(space); // not before: to the log a space is its parent's when it is noted first
    }

    /** The keeper has died: another holds all, too. */
    private void renew() throws IOException {
        keeper.close();
        keeper = keeper.another();
        log.keeper(new Proc(keeper.pid()));
        for (LateSpace each : spaces) {
            if (!each.isGone()) {
                note(each, each.number(), keeper.hold(each.memory()));
            }
        }
    }

    private void note(LateSpace space, int parent, int held) throws IOException {
        log.hold(space.number(), space.pid(), parent, new Proc(keeper.pid()), held);
    }

    /** What has not come by now does not come: the job cannot be restored. */
    public synchronized void giveUp() {
        unwanted = true;
        notifyAll();
    }

    /** Waits until the memory of these processes is adopted. */
    public synchronized void awaitAll(Set<Integer> pids, Duration longest)
            throws Problem, InterruptedException {
        long end = System.nanoTime() + longest.toNanos();
        while (!came.containsAll(pids)) {
            if (System.nanoTime() > end || failure != null) {
                throw Problem.failed("criu did not hand over the memory of all processes")
                        .because(failure == null ? "" : failure.toString());
            }
            wait(POLL_MILLIS);
        }
    }

    private void follow() {
        try {
            awaitExpected();
            for (int look = 1; !closed; look++) {
                UserFault.awaitAny(memories(), POLL_MILLIS);
                step();
                if (look % SWEEP == 0) {
                    sweep();
                }
            }
        } catch (InterruptedException e) {
            // nobody does that
        } catch (IOException | RuntimeException | Error e) {
            failure = e;
        }
    }

    private synchronized void awaitExpected() throws InterruptedException {
        while (!expected && !closed) {
            wait();
        }
    }

    /** Nobody tells that a process has ended, or the keeper. */
    private synchronized void sweep() throws IOException {
        if (!keeper.isAlive() && !closed) {
            renew();
        }
        for (LateSpace each : spaces) {
            each.look();
        }
    }

    private synchronized List<UserFault> memories() {
        return spaces.stream().filter(each -> !each.isGone()).map(LateSpace::memory).toList();
    }

    private synchronized void step() throws IOException {
        for (int each = 0; each < spaces.size() && !closed; each++) { // a fork adds one
            LateSpace space = spaces.get(each);
            UserFault memory = space.memory();
            Optional<UserFault.Event> event = space.isGone() ? Optional.empty() : memory.next();
            while (event.isPresent()) {
                handle(space, event.get());
                event = memory.next();
            }
        }
        List<Touched> again = List.copyOf(early);
        early.clear();
        for (Touched each : again) {
            touched(each);
        }
    }

    private void handle(LateSpace space, UserFault.Event event) throws IOException {
        switch (event) {
            case UserFault.Fault(long address) -> touched(new Touched(space, address));
            case UserFault.Forked(UserFault child) ->
                    add(space.fork(spaces.size(), child), space.number());
            case UserFault.Moved(long from, long to, long bytes) -> space.moved(from, to, bytes);
            case UserFault.Removed(long start, long end) ->
                    space.removed(new PageRange(start, end));
            case UserFault.Unmapped(long start, long end) ->
                    space.unmapped(new PageRange(start, end));
        }
    }

    /** A page of the source's comes before the others. */
    private void touched(Touched what) throws IOException {
        LateSpace space = what.space;
        if (space.isGone()) {
            return;
        }
        PageRange missing = space.missingAt(what.address);
        if (missing != null) {
            ask(space.pid(), missing);
        } else if (!space.zero(what.address)) {
            early.add(what);
        }
    }

    /** It comes in any case, only later. */
    private void ask(int pid, PageRange page) {
        if (asked.of(pid).hasAny(page)) {
            return;
        }
        asked.add(pid, page.start(), page.end());
        try {
            wanting.page(pid, page.start());
        } catch (IOException e) {
            // who reads from the source is told, too
        }
    }

    /** Takes pages, of which those that are not lacking are left alone. */
    public synchronized void pages(int pid, PageRange place, ByteBuffer bytes)
            throws IOException, InterruptedException {
        int first = bytes.position();
        fill(
                pid,
                place,
                (memory, now, run) ->
                        memory.copy(
                                now,
                                bytes.slice(
                                        first + (int) (run.start() - place.start()),
                                        (int) run.bytes())));
    }

    /** The same of zeros. */
    public synchronized void zeros(int pid, PageRange place)
            throws IOException, InterruptedException {
        fill(pid, place, (memory, now, run) -> memory.zero(now, run.bytes()));
    }

    private void fill(int pid, PageRange place, LateSpace.Filling filling)
            throws IOException, InterruptedException {
        if (late.of(pid).bytes() == 0) {
            throw new IOException("process %d lacks nothing".formatted(pid));
        }
        while (!came.contains(pid) && !unwanted && !closed && failure == null) {
            wait(POLL_MILLIS); // criu makes the processes at the same time
        }
        orFollowed();
        for (int each = 0; each < spaces.size(); each++) { // a fork adds one
            if (spaces.get(each).pid() == pid) {
                fill(spaces.get(each), place, filling);
            }
        }
    }

    private void orFollowed() throws IOException {
        if (closed) {
            throw new IOException("the job's memory is not followed any more");
        }
        if (failure != null) {
            throw new IOException("the job's memory is not followed", failure);
        }
    }

    private void fill(LateSpace space, PageRange place, LateSpace.Filling filling)
            throws IOException, InterruptedException {
        long end = System.nanoTime() + NO_MEMORY.toNanos();
        PageRange run = space.next(place.start(), place.end());
        while (run != null) {
            Filled filled = space.fill(run, filling);
            boolean full = filled.outcome() == Outcome.NO_MEMORY;
            if (full && System.nanoTime() > end) {
                throw new IOException("there is no memory left for the job");
            }
            if (full || filled.outcome() == Outcome.CHANGING) {
                orFollowed();
                wait(BUSY_MILLIS); // in which the events are read
            }
            run = space.next(run.start() + filled.bytes(), place.end());
        }
    }

    /** Fails if what the job does to its memory is not followed. */
    public synchronized void orLeftAlone() throws IOException {
        orFollowed();
    }

    /** Tells that something failed without which nothing can be filled. */
    public void fail(Throwable cause) {
        failure = cause;
    }

    /** Fails if a page is still to come. */
    public synchronized void orIncomplete() throws Problem {
        String what = "the job's memory did not arrive whole";
        try {
            orFollowed();
        } catch (IOException e) {
            throw Problem.failed(what).because(e.getMessage()).causedBy(e);
        }
        long missing = 0;
        for (LateSpace space : spaces) {
            missing += space.missingBytes();
        }
        if (missing > 0) {
            throw Problem.failed(what).because(missing + " bytes are missing");
        }
    }

    /** Nothing is to come any more: the kernel lets go of the job's memory. */
    public void end() throws IOException, InterruptedException {
        close();
        keeper.end();
    }

    /** The keeper goes on holding the descriptors. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            notifyAll();
        }
        boolean interrupted = false;
        while (events.isAlive()) {
            try {
                events.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        synchronized (this) {
            for (LateSpace each : spaces) {
                each.close();
            }
            keeper.close();
        }
        try {
            log.close();
        } catch (IOException e) {
            // all that matters was written at once
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
