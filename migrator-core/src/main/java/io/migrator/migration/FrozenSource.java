package io.migrator.migration;

import io.migrator.criu.Corrections;
import io.migrator.criu.CriuBundle;
import io.migrator.criu.CriuSession;
import io.migrator.criu.Notify;
import io.migrator.fault.FaultPoint;
import io.migrator.handover.Handover.Source;
import io.migrator.handover.Handover.SourceAction;
import io.migrator.handover.Handover.SourceEvent;
import io.migrator.handover.Running;
import io.migrator.handover.Seal;
import io.migrator.handover.SourceJournal;
import io.migrator.instance.Instance;
import io.migrator.instance.Instances;
import io.migrator.instance.ProcessTree;
import io.migrator.instance.RunDirectory;
import io.migrator.linux.Proc;
import io.migrator.memory.PreCopy;
import io.migrator.network.NetworkLock;
import io.migrator.network.SourceNetwork;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The job on its source from the freeze on: held by criu, sealed by the kernel, its connections
 * locked. What may be done with it only {@link SourceJournal} decides; closed before the token was
 * granted it runs on, closed after that it stands still until the target has answered. One thread.
 */
final class FrozenSource implements AutoCloseable {
    private static final Duration END = Duration.ofSeconds(30);

    /** Within this what is sent at a time is sent, but over a line that is dead. */
    private static final Duration BATCH = Duration.ofSeconds(2);

    private static final String NOT_SEEN = "the processes of the frozen job are not seen";

    /**
     * What is to be dumped, and where to.
     *
     * @param images directory
     * @param carried run directory that goes along; null if none does
     * @param movesDirectory whether that is not to stay here
     * @param network of the job; becomes the frozen source's
     * @param copied what went to the target before
     * @param mostBytes that go while the job stands still; where there are more they may go later
     * @param files what of them is still to go goes when nothing of the job runs
     * @param held told when nothing of the job runs and its addresses are locked
     * @param steps where is noted what is done
     */
    record Plan(
            Instance instance,
            ProcessTree tree,
            Path images,
            @Nullable RunDirectory carried,
            boolean movesDirectory,
            SourceNetwork network,
            PreCopy copied,
            long mostBytes,
            CriuSession.Step held,
            LastFiles files,
            Steps steps) {}

    /** Sends what is left of the files that go along. */
    @FunctionalInterface
    interface LastFiles {
        /** So of this tree. */
        void send(ProcessTree frozen) throws Problem, InterruptedException;
    }

    private final Plan plan;
    private final CriuSession dump;
    private final StandingJob job;
    private final FreezeWatch freeze;
    private final SourceJournal journal;
    private volatile ProcessTree tree;
    private final @Nullable Background packing;
    private final Background telling;
    private final Background scanning;
    private final Background looking;
    private final Background correcting;
    private final Background carrying;
    private boolean held;
    private PreCopy.Copied copied = PreCopy.Copied.none();

    private FrozenSource(
            Plan plan,
            CriuSession dump,
            StandingJob job,
            FreezeWatch freeze,
            SourceJournal journal) {
        this.plan = plan;
        this.dump = dump;
        this.job = job;
        this.freeze = freeze;
        this.journal = journal;
        this.tree = plan.tree;
        RunDirectory carried = plan.carried;
        Path tar = plan.images.resolve(RunDirectory.TAR);
        Steps steps = plan.steps;
        this.packing =
                carried == null
                        ? null
                        : Background.aside(
                                "pack",
                                steps.noting("run directory is packed", () -> carried.pack(tar)));
        this.telling = Background.aside("tell", plan.held::run);
        this.scanning =
                Background.ready(
                        "scan",
                        steps.noting(
                                "last round", () -> copied = plan.copied.last(plan.mostBytes)));
        this.correcting =
                Background.ready(
                        "correct",
                        steps.noting(
                                "images are corrected", () -> Corrections.make(plan.images, tree)));
        this.looking = Background.ready("tree", () -> tree = ProcessTree.of(plan.instance));
        this.carrying = Background.aside("files", steps.noting("last files", this::carry));
    }

    private void carry() throws Problem, InterruptedException {
        looking.await(NOT_SEEN);
        plan.files.send(ofTheJob(tree));
    }

    /** Some of what runs in the instance is criu's own. */
    ProcessTree ofTheJob(ProcessTree all) {
        return all.without(dump.criuPid());
    }

    /** Starts criu's dump of the tree; the job runs until {@link #hold}. */
    static FrozenSource begin(Plan plan, SourceJournal journal)
            throws Problem, InterruptedException {
        ProcessTree.Member root = plan.tree.roots().getFirst();
        Seal seal = sealOver(plan, journal.head().id());
        StandingJob job = new StandingJob(plan.instance, seal, plan.network);
        FreezeWatch freeze = new FreezeWatch(root.process());
        CriuSession dump = null;
        boolean begun = false;
        try {
            dump =
                    CriuSession.forDump(
                            plan.instance, plan.tree, CriuBundle.in(plan.instance), plan.images);
            journal.freezing(
                    seal.note(), Running.of(new Proc(dump.criuPid())), plan.movesDirectory);
            dump.dump(
                    root.pid(),
                    Instances.ofThisUser().logs(plan.instance.name()).heldBy(plan.tree),
                    plan.network.closes());
            FrozenSource source = new FrozenSource(plan, dump, job, freeze, journal);
            begun = true;
            return source;
        } catch (IOException e) {
            throw changed(String.valueOf(e.getMessage()));
        } finally {
            if (!begun) {
                if (dump != null) {
                    dump.close();
                }
                freeze.close();
                job.resume();
                job.close();
                journal.thawed();
            }
        }
    }

    private static Seal sealOver(Plan plan, String id) throws Problem {
        try {
            return Seal.over(plan.instance, plan.tree, Spool.cgroupName(id));
        } catch (IOException e) {
            throw changed(String.valueOf(e.getMessage())).causedBy(e);
        }
    }

    private static Problem changed(String because) {
        return Problem.failed("the job changed while it was looked at").because(because).passing();
    }

    /**
     * Returns when criu has looked at the kernel, which takes it long, and could freeze the job.
     */
    void awaitReady(Duration timeLimit) throws Problem, InterruptedException {
        dump.holdAt(Notify.PRE_DUMP, timeLimit);
    }

    /** While criu waits before the freeze: it looks at what takes it long. */
    void lookAhead(Duration timeLimit) throws Problem, InterruptedException {
        dump.lookAhead(timeLimit);
    }

    /**
     * Freezes the job, waits until the images are complete, and seals the tree at once. Where the
     * seal stands alone criu is ended: what keeps the job still from here is nobody's life.
     */
    void hold(Duration timeLimit) throws Problem, InterruptedException {
        try (Steps.Begun _ = plan.steps.begin("criu freezes and dumps")) {
            awaitImages(timeLimit);
        }
        if (!held) {
            throw Problem.failed("criu did not say when it held the job")
                    .because("it is of a kind that this migrator does not know");
        }
        looking.await(NOT_SEEN);
        correcting.go();
        plan.network.orUnlocked(tree);
        FaultPoint.SOURCE_HELD.reached();
        journal.on(SourceEvent.HOLD);
        try (Steps.Begun _ = plan.steps.begin("seal")) {
            seal();
            // had criu died before the seal, the job would have run on after its image
            dump.orEnded();
            tree = sealed(tree); // as long as criu holds what the seal may have missed
            if (job.seal().standsAlone()) {
                dump.abandon();
            }
            journal.sealed(job.seal().note());
        }
    }

    private void seal() throws Problem {
        try {
            job.seal().set();
        } catch (IOException e) {
            throw Problem.failed("the job could not be sealed").because(e.getMessage());
        }
    }

    /** criu cannot tell of a full file system: its log is in it. */
    private void awaitImages(Duration timeLimit) throws Problem, InterruptedException {
        try {
            dump.holdAt(Notify.POST_DUMP, timeLimit, this::lock, this::workAside);
        } catch (Problem e) {
            if (Spool.freeBytes() > 0) {
                throw e;
            }
            throw Problem.failed("the images of the job could not be written")
                    .because("/dev/shm is full")
                    .tryThis(
                            "make room there: the images are small, the job's memory is not in"
                                    + " them")
                    .causedBy(e);
        }
    }

    /** All threads are held, and nothing is dumped yet. */
    private void lock() throws Problem, InterruptedException {
        held = true;
        plan.copied.freeze();
        boolean locks = plan.network.locks();
        if (locks) {
            plan.network.lockAddresses();
        }
        looking.go();
        if (locks) {
            looking.await(NOT_SEEN);
            try (Steps.Begun _ = plan.steps.begin("network is locked")) {
                plan.network.lock(tree);
            }
        }
        FaultPoint.SOURCE_DUMPING.reached();
    }

    /** What can be done while criu dumps. */
    private void workAside() {
        scanning.go();
        telling.go();
        carrying.go();
        if (packing != null) {
            packing.go();
        }
    }

    /** Returns when the images are as they are to be, and the run directory is among them. */
    void awaitCorrected() throws Problem, InterruptedException {
        telling.await("the target could not be told that the job stands still");
        if (packing != null) {
            packing.await("the run directory could not be packed");
        }
        correcting.await("the images could not be corrected");
        carrying.await("the job's files could not be sent");
    }

    /** Pages that are on the target as they are here; the last go there while criu dumps. */
    PreCopy.Copied copied() throws Problem, InterruptedException {
        scanning.await("the written pages could not be told");
        return copied;
    }

    /** Where more than this is not on the target by now it may go later. */
    long mostBytes() {
        return plan.mostBytes;
    }

    /** The tree that stands still. */
    ProcessTree tree() {
        return tree;
    }

    /**
     * Seals what was forked between the first look at the tree and the freeze.
     *
     * @param frozen as it is since the freeze
     * @throws Problem if criu holds a process that left the cgroup
     */
    private ProcessTree sealed(ProcessTree frozen) throws Problem, InterruptedException {
        List<ProcessTree.Member> sealed = new ArrayList<>();
        boolean grew = false;
        Set<Long> covered = covered();
        for (ProcessTree.Member member : frozen.members()) {
            try {
                if (!covered.contains(member.process().pid())) {
                    if (!member.process().alive() && wasSealed(member.process())) {
                        throw killed();
                    }
                    if (member.process().state() != 't') { // criu's own are not held by it
                        continue;
                    }
                    if (job.seal().standsAlone()) {
                        throw changed(
                                "process %d (%s) left".formatted(member.pid(), member.name()));
                    }
                    job.seal().take(member.process());
                    grew = true;
                }
                sealed.add(member);
            } catch (IOException e) {
                // gone: it cannot run either
            }
        }
        if (grew) {
            journal.growing(job.seal().note());
            seal();
            dump.orEnded();
        }
        return new ProcessTree(List.copyOf(sealed));
    }

    private boolean wasSealed(Proc process) {
        return job.seal().note().members().stream().anyMatch(each -> each.pid() == process.pid());
    }

    private Set<Long> covered() throws Problem {
        try {
            return job.seal().covered();
        } catch (IOException e) {
            throw Problem.failed("the job could not be sealed").because(e.getMessage());
        }
    }

    /** Connections of the job to itself, which are to be locked on the target, too. */
    List<NetworkLock.Pair> pairs() {
        return plan.network.pairs();
    }

    /** When the job froze ({@link System#nanoTime}). */
    long frozenNanos() {
        return freeze.frozenNanos();
    }

    /**
     * Fails if the job was killed, which its copy is not to outlive; or if it would not stand still
     * by itself and criu died at its hold: any SIGCONT would set it going again.
     */
    void orLost() throws Problem, InterruptedException {
        if (!job.seal().standsAlone()) {
            dump.orEnded();
        }
        try {
            if (job.seal().hasLost(tree.processes())) {
                throw killed();
            }
        } catch (IOException e) {
            throw changed(String.valueOf(e.getMessage()));
        }
    }

    private static Problem killed() {
        return Problem.failed("processes of the job were killed while it stood still");
    }

    /** The token is given away: written first, then it may be sent. */
    void grant() throws Problem {
        journal.on(SourceEvent.GRANT);
    }

    /**
     * What the target says after the grant.
     *
     * @return true if the job is to be ended here; false if it runs here on, or stands
     */
    boolean settle(SourceEvent answer) throws Problem, InterruptedException {
        SourceAction action = journal.on(answer);
        if (action == SourceAction.THAW) {
            thaw();
        }
        return action == SourceAction.END;
    }

    /** Lets the job run on here unless the token is gone. */
    void giveUp() throws Problem, InterruptedException {
        if (journal.on(SourceEvent.GIVE_UP) == SourceAction.THAW) {
            thaw();
        }
    }

    private void thaw() throws InterruptedException, Problem {
        try {
            endCriu(false);
            job.resume();
            journal.thawed();
        } finally {
            release();
        }
    }

    /** Ends the job here: it runs on the target. */
    void die() throws InterruptedException, Problem {
        try {
            if (job.seal().standsAlone()) {
                dump.close();
            }
            job.end();
            if (!job.seal().standsAlone()) {
                endCriu(true);
            }
        } finally {
            release();
        }
    }

    /** criu at its hold gets its verdict; elsewhere it aborts when its socket is closed. */
    private void endCriu(boolean verdict) throws InterruptedException {
        try {
            if (!job.seal().standsAlone() && journal.state() != Source.COPYING) {
                dump.finish(verdict, END);
            }
        } catch (Problem e) {
            // it is closed next, and killed if it does not hear that either
        } finally {
            dump.close();
        }
    }

    private void release() {
        freeze.close();
        job.close();
        if (packing != null) {
            packing.stop();
        }
        telling.stop();
        plan.copied.enough();
        scanning.stop(BATCH); // one that is interrupted as it sends breaks the line
        carrying.stop(BATCH);
        looking.stop();
        correcting.stop();
    }

    @Override
    public void close() throws InterruptedException, Problem {
        switch (journal.state()) {
            case COPYING, HELD, SEALED -> giveUp();
            case GRANTED -> release();
            case RUNNING, OPEN, GONE -> {}
        }
    }
}
