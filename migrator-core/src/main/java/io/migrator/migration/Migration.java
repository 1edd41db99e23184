package io.migrator.migration;

import io.migrator.check.Preflight;
import io.migrator.criu.Corrections;
import io.migrator.fault.FaultPoint;
import io.migrator.files.FileWish;
import io.migrator.handover.Handover.Source;
import io.migrator.handover.Handover.SourceEvent;
import io.migrator.handover.Journal;
import io.migrator.handover.SourceJournal;
import io.migrator.handover.Token;
import io.migrator.instance.Adoption;
import io.migrator.instance.Instance;
import io.migrator.instance.Instances;
import io.migrator.instance.Logs;
import io.migrator.instance.ProcessTree;
import io.migrator.instance.RunDirectory;
import io.migrator.instance.Traits;
import io.migrator.linux.Clocks;
import io.migrator.linux.Proc;
import io.migrator.memory.HiddenPages;
import io.migrator.memory.ImageFeed;
import io.migrator.memory.WarmUp;
import io.migrator.network.NetworkPlan;
import io.migrator.network.NetworkWish;
import io.migrator.network.SourceNetwork;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * One instance moves into a target. {@link #run} tells the story; the source dies last.
 *
 * <p>Run by one thread. {@link #cancel} may be called by any other at any moment: before the token
 * is granted it interrupts the run, which then undoes what it did; afterwards it does nothing, for
 * from there only the target knows where the job is.
 */
public final class Migration {
    /** A program that serves accepts its connections far sooner. */
    static final Duration DRAIN = Duration.ofSeconds(3);

    /** So long the rounds may take to become short, after criu has started. */
    private static final Duration SETTLING = Duration.ofSeconds(1);

    /** And after it has looked at the job, which it should then not do again. */
    private static final Duration SETTLING_AGAIN = Duration.ofMillis(300);

    private static final Duration QUIET = Duration.ofMillis(20);

    /** The quickest of some questions tells best how far the clocks of both nodes are apart. */
    private static final int ACCOUNTS = 5;

    private final Instance instance;
    private final Target target;
    private final FarNode far;
    private final Progress progress;
    private final Duration timeLimit;
    private final String id;
    private final StopWatch watch;
    private final Steps steps = new Steps();
    private final List<String> warnings = new ArrayList<>();
    private final Cancellation cancellation = new Cancellation();
    private String to = "the target";
    private String targetBoot = "";
    private long room;
    private Clocks ahead = new Clocks(0, 0);
    private NetworkWish wish = NetworkWish.AUTO;
    private MemoryWish memory = MemoryWish.AUTO;
    private NetworkPlan plan = NetworkPlan.NONE;
    private FileWish fileWish = FileWish.AUTO;
    private @Nullable Series series;
    private @Nullable JobFiles files;

    /** When the job ran on, wherever. */
    private long runsNanos;

    /**
     * A migration that has not begun; to be run by the thread that makes it.
     *
     * @param far the target once more, asked where it does not answer
     * @param timeLimit for the dump and for each long step of the target
     */
    public Migration(
            Instance instance, Target target, FarNode far, Progress progress, Duration timeLimit) {
        this.instance = instance;
        this.target = target;
        this.far = far;
        this.progress = progress;
        this.timeLimit = timeLimit;
        this.id = "m" + Long.toHexString(System.nanoTime()) + "p" + ProcessHandle.current().pid();
        this.watch = new StopWatch(progress);
    }

    /** What is asked for the job's network; to be said before anything else. */
    public Migration network(NetworkWish wanted) {
        wish = wanted;
        return this;
    }

    /** How the job's memory is to travel; to be said before anything else. */
    public Migration memory(MemoryWish wanted) {
        memory = wanted;
        return this;
    }

    /** What is to become of files that the job uses; to be said before anything else. */
    public Migration files(FileWish wanted) {
        fileWish = wanted;
        return this;
    }

    /** Of which copies this is one; to be said before anything else. */
    public Migration in(Series copies) {
        series = copies;
        return this;
    }

    /** What can be told without a target: whether the processes are of a kind that can go. */
    public static Preflight sourceCheck(Instance instance, ProcessTree tree)
            throws Problem, InterruptedException {
        return new Checks(instance, tree)
                .source(Spool.freeBytes())
                .with(LockChecks.of(tree, RunDirectory.of(instance.name())::holds))
                .with(NetworkChecks.of(instance, tree, NetworkWish.AUTO).findings())
                .with(MemoryChecks.of(instance, MemoryWish.AUTO))
                .done();
    }

    /** Looks whether the job could go, without freezing or changing anything. */
    public Preflight check() throws Problem, InterruptedException {
        watch.begin(Stage.CHECK);
        Feasibility feasibility = Feasibility.of(instance, id, wish, memory);
        plan = feasibility.plan();
        if (!feasibility.told().isEmpty()) {
            progress.chosen(feasibility.told());
        }
        TargetFacts facts;
        try (Steps.Begun _ = steps.begin("target is asked")) {
            facts = target.survey(feasibility.survey());
        }
        to = facts.node();
        targetBoot = facts.bootId();
        room = facts.freeMemoryBytes();
        ahead = clocksOf(feasibility.tree()).minus(facts.clocks());
        JobFiles used = new JobFiles(instance, target, fileWish);
        files = used;
        return feasibility.judge(facts, used).preflight();
    }

    /** A job that moved before has a time namespace of its own, which appinit has not. */
    private Clocks clocksOf(ProcessTree tree) throws Problem {
        try {
            return tree.roots().isEmpty()
                    ? Clocks.now()
                    : Clocks.of(tree.roots().getFirst().process());
        } catch (IOException e) {
            throw Problem.failed("the clocks of the job are not seen").because(e.toString());
        }
    }

    /**
     * Moves the instance.
     *
     * @throws Problem if it did not move; its payload part tells where the job is now
     */
    public Outcome run() throws Problem {
        return attempt(Purpose.MOVE);
    }

    /**
     * Does all of a move but the last step: the job is loaded on the target, held there, discarded,
     * and runs on here. The outcome tells how long it stood still.
     *
     * @throws Problem if it could not have moved
     */
    public Outcome rehearse() throws Problem {
        return attempt(Purpose.REHEARSE);
    }

    /**
     * Copies the job into a target that keeps it instead of letting it run.
     *
     * @param runsOn true if the job runs on here; else it is ended once the copy is safe
     * @throws Problem if there is no copy; the job runs on then
     */
    public Outcome checkpoint(boolean runsOn) throws Problem {
        return attempt(runsOn ? Purpose.KEEP : Purpose.END);
    }

    private Outcome attempt(Purpose purpose) throws Problem {
        try {
            Preflight preflight = check();
            preflight.warnings().forEach(this::warn);
            preflight.orRefuse(instance.name());
            FaultPoint.SOURCE_CHECKED.reached();
            try (Journal file = Spool.journal(id);
                    Undo undo = new Undo(this::warn)) {
                SourceJournal journal = begun(file);
                try {
                    return move(journal, undo, purpose);
                } finally {
                    cancellation.end(); // undoing must not be cut short
                    if (journal.state() == Source.GRANTED) {
                        undo.commit(); // only the target's answer may undo anything
                    }
                }
            }
        } catch (InterruptedException e) {
            throw placed(Problem.failed("the migration was cancelled"));
        } catch (IOException e) {
            throw placed(Problem.failed("the migration failed").because(e.toString()).causedBy(e));
        } catch (Problem e) {
            // Ctrl-C at a terminal ends the ssh client too: what fails then is not the news
            boolean asked = cancellation.asked() && e.exitCode() == ExitCode.FAILED;
            throw placed(asked ? Problem.failed("the migration was cancelled").causedBy(e) : e);
        }
    }

    private SourceJournal begun(Journal file) throws Problem {
        Journal.Head head;
        try {
            head =
                    new Journal.Head(
                            Journal.Role.SOURCE, id, Token.fresh(), NodeFacts.bootId(), targetBoot);
        } catch (IllegalArgumentException e) {
            throw Problem.refused(to + " answered nonsense").because("its boot id is none");
        }
        return SourceJournal.begin(
                file, head, SourceJournal.Note.of(instance, far.address(), plan));
    }

    /** What a JVM does for the first time takes long: none of it is to be in the freeze. */
    private void rehearse(Spool spool, @Nullable RunDirectory carried)
            throws Problem, InterruptedException, IOException {
        Path scratch = Files.createDirectory(spool.directory().resolve("rehearsal"));
        WarmUp.images(scratch, target.sink());
        if (carried != null) {
            RunDirectory.rehearse(scratch);
        }
        Files.delete(scratch);
        boolean stops = memory.way() == MemoryWish.Way.STOP;
        WarmUp.of(target.sink()::padding, stops ? WarmUp.WHOLE : WarmUp.SHORT);
    }

    private void rehearse(Spool spool) throws Problem, IOException, InterruptedException {
        Compilers.prepare(spool.directory());
        Path scratch = Files.createTempDirectory(spool.directory(), "rehearsal");
        try {
            HiddenPages.rehearse(scratch);
            Objects.requireNonNull(files).rehearse(scratch);
            if (fills()) {
                Loading.rehearse(scratch);
            }
            Corrections.rehearse(scratch, new Proc(instance.appinit()));
        } finally {
            Files.delete(scratch);
        }
        ProcessTree.of(instance);
        if (plan.keeps()) {
            SourceNetwork.rehearse();
        }
    }

    private Outcome move(SourceJournal journal, Undo undo, Purpose purpose)
            throws Problem, InterruptedException, IOException {
        watch.begin(Stage.PREPARE);
        undo.pushIfWell("forgetting the migration", () -> forget(journal));
        undo.push("cleaning the target", () -> discard(journal));
        Spool spool = Spool.create(id);
        undo.push("removing the images", spool::close);
        JobFiles used = Objects.requireNonNull(files); // check() has looked
        undo.push("closing the job's files", used::close);
        boolean carries = prepareTarget(journal.head(), spool, used);
        RunDirectory carried = carries ? RunDirectory.of(instance.name()) : null;
        Predicate<String> goes =
                path -> (carried != null && carried.holds(path)) || used.carries(path);
        used.announce();
        LockChecks.orRefuse(ProcessTree.of(instance), instance.name(), goes);
        FaultPoint.SOURCE_PREPARED.reached();

        Adoption.of(instance);
        try (Steps.Begun _ = steps.begin("warm-up")) {
            rehearse(spool, carried);
        }
        cancellation.orStop();
        watch.begin(Stage.PRECOPY);
        try (Steps.Begun _ = steps.begin("files while the job runs")) {
            used.passes(target.sink(), cancellation);
        }
        Rounds rounds = new Rounds(target.sink(), progress, cancellation, memory, room, series);
        undo.push("ending the watch over the memory", rounds::close);
        rounds.run(instance);
        watch.begin(Stage.DUMP);
        SourceNetwork network = SourceNetwork.of(plan, instance, id);
        undo.push("unlocking the network", network::resume);
        undo.push("ending what would lock it", network::close);
        ProcessTree tree = ProcessTree.of(instance); // once more: preparing took a second
        int unread = network.drain(tree, DRAIN);
        if (unread > 0) {
            warn(
                    unread
                            + " connections that the job has closed are not read to their end by"
                            + " their peers: what is still to be sent is lost");
        }
        try (ImageFeed feed = new ImageFeed(spool.directory(), target.sink())) {
            FrozenSource.Plan plan =
                    new FrozenSource.Plan(
                            instance,
                            tree,
                            spool.directory(),
                            carried,
                            carries && !purpose.leavesFiles(),
                            network,
                            rounds.copy(),
                            rounds.mostBytes(),
                            target::frozen,
                            frozen -> used.last(frozen, target.sink()),
                            steps);
            if (!rounds.done().isEmpty()) { // else all of the memory is still to be sent
                Compilers.stop();
            }
            Loading loading = new Loading(target, progress, cancellation, steps);
            undo.push("ending what sends its memory", loading::close);
            FrozenSource source;
            boolean settled;
            try (Steps.Begun _ = steps.begin("criu starts")) {
                source = FrozenSource.begin(plan, journal);
                undo.push("resuming the job", source::close);
                rounds.follow();
                source.awaitReady(timeLimit);
            }
            try (Steps.Begun _ = steps.begin("last rounds")) {
                rounds.settle(SETTLING);
                used.update(
                        source.ofTheJob(ProcessTree.of(instance)), target.sink(), cancellation, to);
                source.lookAhead(timeLimit);
                settled = rounds.settle(SETTLING_AGAIN);
            }
            rounds.orTooFast(instance, settled);
            if (!settled && fills()) {
                rounds.copy().pause();
                Thread.sleep(QUIET); // what is on its way takes the processors from criu
            }
            feed.start();
            source.hold(timeLimit);

            watch.begin(Stage.LOAD);
            Loading.CarriedFiles last =
                    new Loading.CarriedFiles(goes, () -> place(used, spool, purpose));
            Loading.Loaded loaded = loading.load(source, feed, spool.directory(), last);
            try (Following late = loaded.late()) {
                watch.begin(Stage.HANDOVER);
                if (purpose.runsOn()) {
                    cancellation.endOrStop();
                    source.giveUp();
                    runsNanos = System.nanoTime();
                    if (purpose.keepsCopy()) {
                        target.take();
                        rounds.kept();
                    }
                } else {
                    handOver(source, journal.head(), late);
                }
            }
            double frozenMillis = StopWatch.millisBetween(source.frozenNanos(), runsNanos);

            watch.begin(Stage.CLEAN);
            if (!purpose.runsOn()) {
                undo.commit();
                new Farewell(instance, target, this::warn)
                        .say(source, journal, spool, carries && !purpose.leavesFiles(), used);
                rounds.close();
            }
            undo.close();
            watch.end();
            return new Outcome(
                    purpose,
                    instance.name(),
                    Instances.hostName(),
                    to,
                    frozenMillis,
                    watch.totalMillis(),
                    rounds.done(),
                    feed.imageBytes() + loaded.pageBytes(),
                    loaded.inheritedBytes(),
                    loaded.lateBytes(),
                    target.sink().sentBytes(),
                    watch.phases(),
                    trace(rounds.steps(), source.frozenNanos()),
                    List.copyOf(warnings));
        }
    }

    /** The job is where it is to be: nothing here may be told as a failure of the move. */
    private Trace trace(Steps rounds, long frozenNanos) {
        Trace.Scale scale = new Trace.Scale(watch.startNanos());
        Trace.Answer answer = account();
        return new Trace(
                scale.parts(watch.stages().all()),
                scale.parts(rounds.all()),
                scale.parts(steps.all()),
                scale.part("still", frozenNanos, runsNanos),
                Usage.ofSource(),
                answer == null ? null : answer.far(scale));
    }

    private Trace.@Nullable Answer account() {
        Trace.Answer best = null;
        try {
            for (int i = 0; i < ACCOUNTS; i++) {
                long asked = System.nanoTime();
                Optional<Account> told = target.account();
                if (told.isEmpty()) {
                    return best;
                }
                best = new Trace.Answer(told.get(), asked, System.nanoTime()).orQuicker(best);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return best;
    }

    private void place(JobFiles used, Spool spool, Purpose purpose)
            throws Problem, InterruptedException {
        used.place(target.sink(), spool.directory(), to, purpose.leavesFiles());
    }

    /** The job runs on here: what was made for it there goes. */
    private void discard(SourceJournal journal) throws Problem, InterruptedException {
        if (journal.state() == Source.OPEN) { // else a step before this one failed: recover knows
            target.discard();
        }
    }

    /** Nobody need remember any more. */
    private static void forget(SourceJournal journal) throws Problem {
        if (journal.state() == Source.OPEN) {
            journal.forget();
        }
    }

    /** Returns true if the run directory is to be carried. */
    private boolean prepareTarget(Journal.Head head, Spool spool, JobFiles used)
            throws Problem, InterruptedException, IOException {
        ProcessTree tree = ProcessTree.of(instance);
        RunDirectory directory = RunDirectory.of(instance.name());
        RunDirectory.Claim claim = directory.exists() ? directory.claim(id) : null;
        Logs logs = Instances.ofThisUser().logs(instance.name());
        try {
            Order order =
                    new Order(
                            id,
                            head.token(),
                            head.sourceBoot(),
                            instance.name(),
                            instance.start(),
                            tree.innerPids(),
                            Traits.of(instance, tree),
                            logs.heldBy(tree),
                            ahead,
                            plan,
                            tree.residentBytes(),
                            fills(),
                            used.directories(),
                            claim);
            try (Rehearsal _ = Rehearsal.of(() -> rehearse(spool));
                    Steps.Begun _ = steps.begin("target prepares")) {
                return target.prepare(order).wantsRunDirectory();
            }
        } finally {
            directory.release(id);
        }
    }

    /** The token moves: from grant on, only the target's word decides. */
    private void handOver(FrozenSource source, Journal.Head head, @Nullable Following late)
            throws Problem, InterruptedException {
        source.orLost();
        orUnsent(late);
        cancellation.endOrStop();
        source.grant();
        FaultPoint.SOURCE_GRANTING.reached();
        SourceEvent answer = late == null ? SourceEvent.TARGET_RUNS : SourceEvent.TARGET_FILLS;
        boolean linked = true;
        Problem refusal = Problem.undecided("the target did not answer");
        try {
            try (Steps.Begun _ = steps.begin("grant")) {
                target.take();
            }
        } catch (Problem e) {
            refusal = e;
            answer = SourceEvent.TARGET_REFUSED;
            if (e.exitCode() == ExitCode.UNDECIDED) {
                linked = false;
                answer = new Question(far, head).untilDecided();
            }
        }
        runsNanos = System.nanoTime();
        FaultPoint.SOURCE_TAKEN.reached();
        if (answer == SourceEvent.TARGET_FILLS && late != null) {
            source.settle(answer);
            watch.begin(Stage.FILL);
            fill(source, late, head, linked);
            answer = SourceEvent.TARGET_RUNS;
        }
        if (source.settle(answer)) {
            return;
        }
        if (answer == SourceEvent.TARGET_UNKNOWN || answer == SourceEvent.TARGET_FILLS) {
            source.close();
            throw refusal;
        }
        throw Problem.failed(to + " did not take the job")
                .because(refusal.getMessage())
                .causedBy(refusal);
    }

    private static void orUnsent(@Nullable Following late) throws Problem, InterruptedException {
        try {
            if (late != null) {
                late.orFailed();
            }
        } catch (IOException e) {
            throw Problem.failed("the memory of the job is not whole").because(e.getMessage());
        }
    }

    private void fill(FrozenSource source, Following late, Journal.Head head, boolean linked)
            throws Problem, InterruptedException {
        try {
            late.complete(far, head, timeLimit, linked);
        } catch (Problem e) {
            source.close();
            throw e;
        }
    }

    private boolean fills() {
        return memory.way() == MemoryWish.Way.HYBRID;
    }

    /** Asks the run to stop and undo; too late once the token is granted. */
    public void cancel() {
        cancellation.request();
    }

    private void warn(String text) {
        warnings.add(text);
        progress.warning(text);
    }

    /** Says where the job is, where the one who found the fault could not. */
    private Problem placed(Problem problem) throws Problem {
        return problem.payload().isEmpty()
                ? problem.payload(Words.whereIs(instance, problem.exitCode(), to))
                : problem;
    }
}
