package io.migrator.migration;

import io.migrator.check.Preflight;
import io.migrator.criu.CpuInfo;
import io.migrator.criu.CriuBundle;
import io.migrator.criu.ExpiredTimers;
import io.migrator.files.RunDirectory;
import io.migrator.instance.Apptainer;
import io.migrator.instance.ImageIdentity;
import io.migrator.instance.Instance;
import io.migrator.instance.Instances;
import io.migrator.instance.ProcessTree;
import io.migrator.memory.HiddenPages;
import io.migrator.memory.ImageFeed;
import io.migrator.memory.PageFeed;
import io.migrator.memory.WarmUp;
import io.migrator.network.NetworkLock;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * One instance moves into a target. {@link #run} tells the story; the source dies last.
 *
 * <p>Run by one thread. {@link #cancel} may be called by any other at any moment: before the token
 * is granted it interrupts the run, which then undoes what it did; afterwards it does nothing, for
 * from there only the target knows where the job is.
 */
public final class Migration {
    private final Instance instance;
    private final Target target;
    private final Progress progress;
    private final Duration timeLimit;
    private final String id;
    private final StopWatch watch;
    private final List<String> warnings = new ArrayList<>();
    private String to = "the target";
    private @Nullable Thread runner;
    private boolean granted;
    private boolean cancelled;

    /**
     * A migration that has not begun.
     *
     * @param timeLimit for the dump and for each long step of the target
     */
    public Migration(Instance instance, Target target, Progress progress, Duration timeLimit) {
        this.instance = instance;
        this.target = target;
        this.progress = progress;
        this.timeLimit = timeLimit;
        this.id = "m" + Long.toHexString(System.nanoTime()) + "p" + ProcessHandle.current().pid();
        this.watch = new StopWatch(progress);
    }

    /** What can be told without a target: whether the processes are of a kind that can go. */
    public static Preflight sourceCheck(Instance instance, ProcessTree tree) throws Problem {
        return new Checks(instance, tree).source(Spool.freeBytes()).done();
    }

    /** Looks whether the job could go, without freezing or changing anything. */
    public Preflight check() throws Problem, InterruptedException {
        watch.begin(Stage.CHECK);
        CriuBundle bundle = CriuBundle.ofThisNode();
        ImageIdentity image = ImageIdentity.of(instance.image());
        byte[] cpuInfo;
        try (Spool scratch = Spool.create(id)) {
            cpuInfo = new CpuInfo(bundle).dump(scratch.directory());
        } catch (IOException e) {
            throw Problem.failed("the check left something behind").because(e.toString());
        }
        TargetFacts facts = target.survey(new Survey(instance.name(), image, cpuInfo));
        to = facts.node();
        Preflight preflight =
                new Checks(instance, ProcessTree.of(instance))
                        .source(Spool.freeBytes())
                        .target(facts, bundle.version(), image)
                        .done();
        preflight.warnings().forEach(this::warn);
        return preflight;
    }

    /**
     * Moves the instance.
     *
     * @throws Problem if it did not move; its payload part tells where the job is now
     */
    public Outcome run() throws Problem {
        try (Undo undo = new Undo(this::warn)) {
            try {
                cancellable(Thread.currentThread());
                check().orRefuse(instance.name());
                return move(undo);
            } finally {
                cancellable(null); // undoing must not be cut short
            }
        } catch (InterruptedException e) {
            throw placed(Problem.failed("the migration was cancelled"));
        } catch (IOException e) {
            throw placed(Problem.failed("the migration failed").because(e.toString()).causedBy(e));
        } catch (Problem e) {
            // Ctrl-C at a terminal ends the ssh client too: what fails then is not the news
            boolean asked = cancelled() && e.exitCode() == ExitCode.FAILED;
            throw placed(asked ? Problem.failed("the migration was cancelled").causedBy(e) : e);
        }
    }

    private synchronized boolean cancelled() {
        return cancelled;
    }

    private Outcome move(Undo undo) throws Problem, InterruptedException, IOException {
        watch.begin(Stage.PREPARE);
        Spool spool = Spool.create(id);
        undo.push("removing the images", spool::close);
        boolean carries = prepareTarget(ProcessTree.of(instance), undo);

        WarmUp.of(target.sink()::padding);
        orCancelled();
        watch.begin(Stage.DUMP);
        ProcessTree tree = ProcessTree.of(instance); // once more: preparing took a second
        try (ImageFeed feed = new ImageFeed(spool.directory(), target.sink())) {
            FrozenSource source =
                    FrozenSource.begin(
                            instance, CriuBundle.ofThisNode(), tree, spool.directory(), timeLimit);
            undo.push("resuming the job", source::close);
            feed.start();
            source.hold(timeLimit);

            watch.begin(Stage.LOAD);
            if (carries) {
                RunDirectory.of(instance.name()).pack(spool.directory().resolve(RunDirectory.TAR));
            }
            ExpiredTimers.arm(spool.directory());
            feed.complete();
            source.orGrown();
            NetworkLock.Table table = source.lockTable();
            feed.finish();
            target.restore(table);
            long pageBytes = sendPages(tree, HiddenPages.of(spool.directory()));
            target.load(pageBytes);

            watch.begin(Stage.HANDOVER);
            handOver(source, undo);
            long runningNanos = System.nanoTime();

            watch.begin(Stage.CLEAN);
            undo.commit();
            double frozenMillis = StopWatch.millisBetween(source.frozenNanos(), runningNanos);
            clean(source, spool, carries);
            return new Outcome(
                    instance.name(),
                    Instances.hostName(),
                    to,
                    frozenMillis,
                    watch.totalMillis(),
                    feed.imageBytes() + pageBytes,
                    target.sink().sentBytes(),
                    watch.phases(),
                    List.copyOf(warnings));
        }
    }

    private long sendPages(ProcessTree tree, HiddenPages pages)
            throws Problem, InterruptedException, IOException {
        long allBytes = pages.bytes();
        PageFeed.Progress told =
                sentBytes -> {
                    progress.sent(sentBytes, allBytes);
                    orCancelled();
                };
        try (PageFeed feed = new PageFeed(tree, target.sink(), told)) {
            return feed.send(pages);
        }
    }

    /** Returns true if the run directory is to be carried. */
    private boolean prepareTarget(ProcessTree tree, Undo undo)
            throws Problem, InterruptedException, IOException {
        RunDirectory directory = RunDirectory.of(instance.name());
        RunDirectory.Claim claim = directory.exists() ? directory.claim(id) : null;
        undo.push("discarding the target", target::discard);
        try {
            Order order = new Order(id, instance.name(), instance.start(), tree.innerPids(), claim);
            return target.prepare(order).wantsRunDirectory();
        } finally {
            directory.release(id);
        }
    }

    /** The token moves: from grant on, this side does nothing by itself. */
    private void handOver(FrozenSource source, Undo undo) throws Problem, InterruptedException {
        source.orLost();
        grant();
        source.granted();
        try {
            target.take();
        } catch (Problem e) {
            if (e.exitCode() == ExitCode.UNDECIDED) {
                undo.commit();
                throw e;
            }
            source.thaw(); // the target says that the job never ran there
            throw e;
        }
    }

    private synchronized void cancellable(@Nullable Thread thread) {
        runner = thread;
    }

    private synchronized void grant() throws InterruptedException {
        orCancelled();
        granted = true;
    }

    /** An interrupt alone could be lost: not all that waits below tells of it. */
    private synchronized void orCancelled() throws InterruptedException {
        if (cancelled || Thread.interrupted()) {
            throw new InterruptedException();
        }
    }

    /** Asks the run to stop and undo; too late once the token is granted. */
    public synchronized void cancel() {
        if (!granted && runner != null) {
            cancelled = true;
            runner.interrupt();
        }
    }

    /** The job runs on the target: nothing that fails here is more than a warning. */
    private void clean(FrozenSource source, Spool spool, boolean carried) {
        try (Undo last = new Undo(this::warn)) {
            if (carried) {
                last.push("removing the run directory", RunDirectory.of(instance.name())::delete);
            }
            last.push("removing the images", spool::close);
            last.push("stopping the old instance", () -> Apptainer.stop(instance.name()));
            last.push("ending the old processes", source::die);
        }
    }

    private void warn(String text) {
        warnings.add(text);
        progress.warning(text);
    }

    /** Says where the job is, where the one who found the fault could not. */
    private Problem placed(Problem problem) throws Problem {
        if (!problem.payload().isEmpty()) {
            return problem;
        }
        String here = "instance '" + instance.name() + "' ";
        return problem.payload(
                switch (problem.exitCode()) {
                    case UNDECIDED -> here + "stands still here, sealed; " + to + " may run it";
                    case LOST -> here + "is lost";
                    case DONE, FAILED, USAGE, REFUSED ->
                            here + "runs on " + Instances.hostName() + " as before";
                });
    }
}
