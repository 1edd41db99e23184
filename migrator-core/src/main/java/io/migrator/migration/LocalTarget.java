package io.migrator.migration;

import io.migrator.criu.CriuBundle;
import io.migrator.criu.EagerPages;
import io.migrator.criu.MemoryMap;
import io.migrator.fault.FaultPoint;
import io.migrator.files.ArrivingFiles;
import io.migrator.files.CarriedFile;
import io.migrator.files.FileAnswer;
import io.migrator.files.FileAnswers;
import io.migrator.files.FileClaim;
import io.migrator.files.LeavingFiles;
import io.migrator.files.Overlay;
import io.migrator.files.PlacedFile;
import io.migrator.handover.Handover;
import io.migrator.handover.Handover.TargetAction;
import io.migrator.handover.Handover.TargetEvent;
import io.migrator.handover.Journal;
import io.migrator.handover.Running;
import io.migrator.handover.TargetJournal;
import io.migrator.instance.Apptainer;
import io.migrator.instance.Instance;
import io.migrator.instance.ProcessTree;
import io.migrator.instance.RunDirectory;
import io.migrator.instance.Traits;
import io.migrator.linux.Proc;
import io.migrator.memory.HiddenPages;
import io.migrator.memory.JobSink;
import io.migrator.memory.KeptPages;
import io.migrator.memory.LateMemory;
import io.migrator.memory.PageRange;
import io.migrator.network.NetworkLock;
import io.migrator.network.TargetNetwork;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * This node as a target: an empty instance, criu's restore waiting in it, and a spool in memory for
 * the images. Used by one thread.
 */
public final class LocalTarget implements Target, JobSink {
    private final Consumer<String> report;
    private final Undo made;
    private final Steps steps = new Steps();
    private @Nullable Order order;
    private @Nullable Spool spool;
    private @Nullable Instance instance;
    private @Nullable ImageFiles images;
    private @Nullable ArrivingFiles carried;

    /** Numbers of carried files, by their ids in the stream. */
    private final Map<Integer, Integer> numbers = new HashMap<>();

    private @Nullable HeldRestore restore;
    private @Nullable Journal file;
    private @Nullable TargetJournal journal;
    private @Nullable TargetNetwork network;
    private @Nullable Arrival arrival;
    private volatile LateMemory.Wanting wanting = (pid, address) -> {};

    /**
     * This node.
     *
     * @param report told of what could not be done or undone but stops nothing
     */
    public LocalTarget(Consumer<String> report) {
        this.report = report;
        this.made = new Undo(report);
    }

    @Override
    public TargetFacts survey(Survey survey) throws Problem, InterruptedException {
        return NodeFacts.answer(survey);
    }

    @Override
    public List<FileAnswer> files(List<FileClaim> claims) throws Problem {
        return FileAnswers.of(claims);
    }

    @Override
    public void carry(List<CarriedFile> files) throws Problem {
        coming();
        prepared(carried).make(files);
    }

    @Override
    public void sync() throws Problem {
        coming();
        prepared(carried).sync();
    }

    @Override
    public void place(List<PlacedFile> files) throws Problem {
        coming();
        prepared(carried).place(files);
    }

    @Override
    public void wanting(LateMemory.Wanting told) {
        wanting = told;
    }

    /** Whether some of the job's memory may come when it runs. */
    public boolean mayFill() {
        return order != null && order.fills();
    }

    @Override
    public Prepared prepare(Order wanted) throws Problem, InterruptedException {
        if (order != null) {
            throw Problem.failed("the source asked twice to prepare");
        }
        order = wanted;
        EmptyInstance.orNameTaken(wanted.instance());
        CarriedDirectory.Found directory = CarriedDirectory.find(wanted, made);
        TargetJournal begun = begin(wanted, directory);
        TargetJournal.Promise asked = begun.note().promise();
        begun.note(begun.note().with(asked.at(System.currentTimeMillis())));
        new Promises(Spool.journals()).orTooMany(wanted.id(), begun.note().promise());
        FaultPoint.TARGET_PREPARING.reached();
        Spool place = Spool.create(wanted.id());
        spool = place;
        made.pushIfWell("removing the images", place::close);
        ImageFiles files = new ImageFiles(place.directory());
        images = files;
        made.push("closing the images", files::close);
        ArrivingFiles arriving = new ArrivingFiles(wanted.id(), place.directory());
        carried = arriving;
        made.push("removing the carried files", arriving::remove);
        made.push("closing the carried files", arriving::close); // first: it takes descriptors
        arriving.make(wanted.directories());
        Optional<Overlay> overlay = Overlay.of(wanted.start().arguments());
        if (overlay.isPresent()) {
            arriving.overlay(overlay.get());
        }
        if (directory.carries()) {
            CarriedDirectory.make(wanted, made);
        }
        TargetNetwork net = new TargetNetwork(wanted.network(), wanted.id());
        network = net;
        made.push("removing the network", net::remove);
        made.push("stopping the empty instance", () -> Apptainer.stop(wanted.instance()));
        Instance empty;
        try (Rehearsal _ = Rehearsal.of(() -> rehearse(place.directory()));
                Steps.Begun _ = steps.begin("empty instance starts")) {
            empty = EmptyInstance.start(wanted, place.directory());
        }
        instance = empty;
        arriving.inside(new Proc(empty.appinit()).file("root"));
        if (overlay.isPresent()) {
            arriving.overlaid(overlay.get());
        }
        Running appinit = new Running(empty.appinit(), empty.startTime());
        begun.note(begun.note().withInstance(appinit));
        made.push("removing the links", () -> net.leave(empty));
        net.prepare(empty);
        if (!EmptyInstance.join(empty)) {
            report.accept("the job will not be in the cgroup of its instance");
        }
        LateArrival late = wanted.fills() ? lateArrival(place, begun) : null;
        HeldRestore waiting =
                HeldRestore.start(wanted, empty, CriuBundle.in(empty), place.directory());
        restore = waiting;
        made.push("ending criu", waiting::kill);
        begun.note(begun.note().with(waiting.criu()));
        arrival =
                Arrival.of(
                        wanted,
                        empty,
                        waiting,
                        net,
                        place.directory(),
                        directory.carries(),
                        late,
                        steps);
        rehearse(directory.carries(), place.directory());
        Compilers.stop(); // what takes pages is compiled
        FaultPoint.TARGET_PREPARED.reached();
        return new Prepared(directory.carries());
    }

    private LateArrival lateArrival(Spool place, TargetJournal begun)
            throws Problem, InterruptedException {
        LateArrival late = LateArrival.in(place.directory(), (pid, at) -> wanting.page(pid, at));
        made.push("ending the keeper", late::end);
        try {
            begun.note(begun.note().withKeeper(Running.of(new Proc(late.keeper().pid()))));
        } catch (IOException e) {
            throw Problem.failed("the keeper of late memory ended").because(e.getMessage());
        }
        return late;
    }

    /** Takes an image, and reads it. */
    private static void rehearse(Path directory) throws Problem, InterruptedException, IOException {
        Compilers.prepare(directory);
        Path scratch = Files.createTempDirectory(directory, "rehearsal");
        try (ImageFiles files = new ImageFiles(scratch)) {
            files.open(0, "pages-1.img");
            files.data(0, 0, ByteBuffer.allocateDirect(1));
            files.end(0, 1);
            Files.delete(scratch.resolve("pages-1.img"));
            MemoryMap.rehearse(scratch);
            KeptPages.rehearse();
        } finally {
            Files.deleteIfExists(scratch);
        }
    }

    /** What a JVM does for the first time takes long: none of it is to be in the freeze. */
    private void rehearse(boolean carries, Path scratch) throws Problem, InterruptedException {
        try {
            if (carries) {
                RunDirectory.rehearse(scratch);
            }
            MemoryMap.rehearse(scratch);
            HiddenPages.rehearse(scratch);
            EagerPages.rehearse(scratch);
            ProcessTree.heldBy(prepared(restore).criuPid(), prepared(instance));
        } catch (IOException e) {
            throw Problem.failed("the restore could not be rehearsed").because(e.toString());
        }
    }

    private TargetJournal begin(Order wanted, CarriedDirectory.Found directory) throws Problem {
        Journal mine = Spool.journal(wanted.id());
        file = mine;
        TargetJournal.Note note =
                TargetJournal.Note.of(
                        wanted.instance(),
                        directory.carries(),
                        directory.setAside(),
                        wanted.network(),
                        TargetJournal.Promise.of(wanted.memoryBytes()));
        TargetJournal begun = TargetJournal.begin(mine, wanted.head(NodeFacts.bootId()), note);
        journal = begun;
        return begun;
    }

    @Override
    public JobSink sink() {
        return this;
    }

    @Override
    public void open(int id, String name) throws Problem {
        ImageFiles files = coming();
        Integer number = LeavingFiles.numberOf(name);
        if (number != null) {
            numbers.put(id, number);
        } else {
            files.open(id, name);
        }
    }

    @Override
    public void data(int id, long offset, ByteBuffer bytes) throws Problem {
        ImageFiles files = coming();
        Integer number = numbers.get(id);
        if (number != null) {
            prepared(carried).data(number, offset, bytes);
        } else {
            files.data(id, offset, bytes);
        }
    }

    @Override
    public void end(int id, long length) throws Problem {
        ImageFiles files = coming();
        Integer number = numbers.remove(id);
        if (number != null) {
            prepared(carried).end(number, length);
        } else {
            files.end(id, length);
        }
    }

    /** What was looked at before it is restored must not change any more. */
    private ImageFiles coming() throws Problem {
        if (prepared(arrival).hasBegun()) {
            throw Problem.failed("the source sent an image after it asked to restore the job");
        }
        return prepared(images);
    }

    @Override
    public long sentBytes() {
        return images == null ? 0 : images.bytes();
    }

    @Override
    public void frozen() throws Problem {
        prepared(arrival).frozen();
    }

    @Override
    public void restore(List<NetworkLock.Pair> pairs) throws Problem {
        coming().orOpen();
        prepared(arrival).begin(pairs);
    }

    @Override
    public void pages(int pid, List<PageRange> places, ByteBuffer bytes)
            throws Problem, InterruptedException {
        prepared(arrival).pages(pid, places, bytes);
    }

    @Override
    public void zeros(int pid, PageRange place) throws Problem, InterruptedException {
        prepared(arrival).zeros(pid, place);
    }

    @Override
    public void padding(ByteBuffer bytes) {
        // what was to be warmed is what brought it here
    }

    @Override
    public void load(long expectedBytes) throws Problem, InterruptedException {
        prepared(arrival).complete(expectedBytes);
        if (prepared(instance).mode() != Instance.Mode.SETUID) {
            applyTraits();
        }
        TargetJournal token = prepared(journal);
        if (prepared(arrival).fills()) {
            token.note(token.note().withFills(true));
        }
        token.on(TargetEvent.LOAD);
        FaultPoint.TARGET_LOADED.reached();
    }

    private void applyTraits() throws Problem, InterruptedException {
        List<Traits> traits = prepared(order).traits();
        if (traits.isEmpty()) {
            return;
        }
        try {
            Traits.apply(traits, prepared(arrival).tree()).forEach(report);
        } catch (IOException e) {
            throw Problem.failed("the restored processes are not seen").because(e.toString());
        }
    }

    /**
     * A complete copy waits some minutes for a person to say that the source's node is dead.
     *
     * @return true if the copy is to be taken over; else all is to be discarded
     */
    public boolean awaitTakeOver() throws Problem, InterruptedException {
        TargetJournal token = journal;
        return token != null
                && token.state() == Handover.Target.LOADED
                && !token.note().fills()
                && new TakeOver(token.head().id()).isDecided();
    }

    /** Takes the token by a person's decision: the job runs here from now on. */
    public void takeOver() throws Problem, InterruptedException {
        take(TargetEvent.TAKE_OVER);
    }

    @Override
    public void take() throws Problem, InterruptedException {
        take(TargetEvent.GRANT);
    }

    private void take(TargetEvent event) throws Problem, InterruptedException {
        TargetJournal token = prepared(journal);
        HeldRestore held = prepared(restore);
        FaultPoint.TARGET_TAKING.reached();
        try {
            held.orEnded();
            prepared(arrival).orLeftAlone();
            if (token.on(event) != TargetAction.LET_GO) {
                throw Problem.failed("the job is not complete on the target");
            }
        } catch (Problem e) {
            giveUp(); // before the answer: it says that the job never ran here
            throw e;
        }
        boolean stands = false;
        try {
            FaultPoint.TARGET_TAKEN.reached();
            try (Steps.Begun _ = steps.begin("criu lets the job go")) {
                held.letGo();
            }
            stands = true;
        } catch (Problem e) {
            giveUpTaken();
            if (token.state() == Handover.Target.REFUSED) {
                throw e;
            }
        }
        if (token.state() == Handover.Target.TAKEN) {
            token.on(token.note().fills() ? TargetEvent.RESUME_FILLING : TargetEvent.RESUME);
        }
        made.commit();
        FaultPoint.TARGET_RUNNING.reached();
        try (Steps.Begun _ = steps.begin("network is opened")) {
            openNetwork(stands);
        }
        try (Steps.Begun _ = steps.begin("criu ends")) {
            tidy(held);
        }
    }

    @Override
    public void fill() throws Problem, InterruptedException {
        prepared(arrival).orIncomplete();
        FaultPoint.TARGET_FILLING.reached();
        prepared(journal).on(TargetEvent.FILLED);
        try {
            prepared(arrival).endLate();
        } catch (IOException e) {
            report.accept(e.getMessage()); // recover tries again
        }
    }

    /**
     * The job's network works.
     *
     * @param stands true if the job does not run yet: what the kernel said for it came too early
     */
    private void openNetwork(boolean stands) throws InterruptedException {
        try {
            prepared(network).open();
        } catch (Problem e) {
            report.accept(e.getMessage());
        }
        try {
            if (stands) {
                prepared(arrival).probe();
            }
        } catch (Problem e) {
            report.accept(e.getMessage());
        }
    }

    /** What is not found out now nobody may take for a refusal. */
    private void giveUpTaken() throws Problem, InterruptedException {
        try {
            giveUp();
        } catch (Problem e) {
            throw Problem.undecided("what became of the job cannot be seen")
                    .because(e.getMessage())
                    .causedBy(e);
        }
    }

    /** The job runs: nothing that fails here may be told as a failure of the move. */
    private void tidy(HeldRestore held) throws InterruptedException {
        try {
            if (prepared(instance).mode() == Instance.Mode.SETUID) {
                applyTraits(); // before, its processes had more rights than their owner
            }
        } catch (Problem e) {
            report.accept(e.getMessage());
        }
        try {
            if (!held.finish()) {
                report.accept("criu did not end well after it let the job go");
            }
        } catch (Problem e) {
            report.accept(e.getMessage());
        } finally {
            held.close();
        }
    }

    /** The job stays where it was, unless it was let go here. */
    private void giveUp() throws Problem, InterruptedException {
        TargetJournal token = journal;
        if (token == null) {
            made.close(); // nothing but a directory that was set aside
            return;
        }
        TargetAction action = token.on(TargetEvent.GIVE_UP);
        if (action == TargetAction.EXAMINE) {
            prepared(restore).kill();
            boolean fills = token.note().fills();
            action = token.on(Examination.of(prepared(instance), directory(), fills));
        }
        if (action == TargetAction.DISCARD) {
            if (arrival != null) {
                arrival.close(); // undoing needs what it holds
            }
            made.close();
            token.done();
        }
    }

    @Override
    public void discard() throws Problem, InterruptedException {
        giveUp();
        if (journal != null && journal.state() == Handover.Target.REFUSED) {
            if (made.failed()) {
                throw Problem.failed("not all of it could be removed on the target")
                        .tryThis("migrator recover there");
            }
            done(); // who asks to discard keeps the token
        }
    }

    @Override
    public void done() throws Problem, InterruptedException {
        if (journal != null && journal.state() == Handover.Target.FILLING) {
            throw Problem.failed("some of the job's memory has not come yet");
        }
        Exception left = removeRest();
        mend();
        orLeft(left);
        if (journal != null) {
            journal.on(TargetEvent.SOURCE_DONE);
        }
    }

    private void mend() throws InterruptedException {
        try {
            if (arrival != null && journal != null && journal.state() == Handover.Target.RUNNING) {
                arrival.mend();
            }
        } catch (Problem e) {
            report.accept(e.getMessage()); // it is as right with small pages
        }
    }

    /**
     * What the job that runs needs no more; not in the way of the answer that it does. The images
     * go last: as long as they are there recover looks for more.
     *
     * @return null, or what failed
     */
    private @Nullable Exception removeRest() throws InterruptedException {
        TargetNetwork net = network;
        network = null;
        if (net == null) {
            return null;
        }
        try (net) {
            if (journal != null && journal.state() == Handover.Target.RUNNING) {
                net.tidy();
                prepared(carried).keep();
                prepared(carried).close();
                prepared(images).close();
                prepared(spool).close();
            }
            return null;
        } catch (IOException | Problem e) {
            report.accept("what is left of the move could not be removed: " + e.getMessage());
            return e;
        }
    }

    private static void orLeft(@Nullable Exception failure) throws Problem {
        if (failure != null) {
            throw Problem.failed("not all that the move left could be removed on the target")
                    .because(failure.getMessage())
                    .tryThis("migrator recover there");
        }
    }

    @Override
    public Optional<Account> account() {
        try {
            return Optional.of(new Account(System.nanoTime(), Usage.ofTarget(), steps.all()));
        } catch (IOException | RuntimeException e) {
            return Optional.empty();
        }
    }

    /** Where is noted what is done here. */
    public Steps steps() {
        return steps;
    }

    @Override
    public void close() {
        try {
            giveUp();
            removeRest();
        } catch (Problem e) {
            report.accept(e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            if (file != null) {
                file.close();
            }
            if (arrival != null) {
                arrival.close();
            }
        }
    }

    private Path directory() throws Problem {
        return prepared(spool).directory();
    }

    private static <T> T prepared(@Nullable T part) throws Problem {
        if (part == null) {
            throw Problem.failed("the target is not prepared");
        }
        return part;
    }
}
