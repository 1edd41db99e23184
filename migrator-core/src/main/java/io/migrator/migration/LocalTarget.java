package io.migrator.migration;

import io.migrator.criu.CriuBundle;
import io.migrator.criu.CriuSession;
import io.migrator.criu.Notify;
import io.migrator.fault.FaultPoint;
import io.migrator.files.RunDirectory;
import io.migrator.handover.Handover;
import io.migrator.handover.Handover.TargetAction;
import io.migrator.handover.Handover.TargetEvent;
import io.migrator.handover.Journal;
import io.migrator.handover.Running;
import io.migrator.handover.TargetJournal;
import io.migrator.instance.Apptainer;
import io.migrator.instance.Instance;
import io.migrator.instance.Instances;
import io.migrator.instance.ProcessTree;
import io.migrator.linux.Cgroup;
import io.migrator.linux.Command;
import io.migrator.linux.Proc;
import io.migrator.linux.ProcessMemory;
import io.migrator.memory.JobSink;
import io.migrator.network.NetworkLock;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * This node as a target: an empty instance, criu's restore waiting in it, and a spool in memory for
 * the images. Used by one thread.
 */
public final class LocalTarget implements Target, JobSink {
    private static final Duration PROGRAM = Duration.ofSeconds(20);
    private static final Duration RESTORE = Duration.ofMinutes(10);
    private static final Duration RESUME = Duration.ofMinutes(2);
    private static final int SPARE_BYTES = 1 << 20;
    private static final int POLL_NANOS = 100_000;
    private static final String INVENTORY = "inventory.img";
    private static final String INVENTORY_CAME = "inventory.img.real";

    private final Consumer<String> report;
    private final Undo made;
    private @Nullable Order order;
    private @Nullable Spool spool;
    private @Nullable Instance instance;
    private @Nullable ImageFiles images;
    private @Nullable CriuSession session;
    private final Map<Integer, Long> processes = new HashMap<>();
    private final ProcessMemory memory = new ProcessMemory();
    private final ByteBuffer spare = ByteBuffer.allocateDirect(SPARE_BYTES);
    private @Nullable TargetJournal journal;
    private long pageBytes;

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
    public Prepared prepare(Order wanted) throws Problem, InterruptedException {
        order = wanted;
        CriuBundle bundle = CriuBundle.ofThisNode();
        if (Instances.ofThisUser().find(wanted.instance()).isPresent()) {
            throw Problem.refused("the instance name is taken")
                    .because("an instance '" + wanted.instance() + "' runs there");
        }
        CarriedDirectory.Found directory = CarriedDirectory.find(wanted, made);
        TargetJournal begun = begin(wanted, directory);
        FaultPoint.TARGET_PREPARING.reached();
        Spool place = Spool.create(wanted.id());
        spool = place;
        made.push("removing the images", place::close);
        ImageFiles files = new ImageFiles(place.directory());
        images = files;
        made.push("closing the images", files::close);
        if (directory.carries()) {
            CarriedDirectory.make(wanted, made);
        }
        made.push("stopping the empty instance", () -> Apptainer.stop(wanted.instance()));
        Instance empty = EmptyInstance.start(wanted);
        instance = empty;
        joinCgroup(empty);
        startCriu(wanted, empty, bundle, place);
        begun.note(begun.note().with(criu(prepared(session))));
        FaultPoint.TARGET_PREPARED.reached();
        return new Prepared(directory.carries());
    }

    private TargetJournal begin(Order wanted, CarriedDirectory.Found directory) throws Problem {
        Journal file = Spool.journal(wanted.id());
        try {
            Journal.Head head =
                    new Journal.Head(
                            Journal.Role.TARGET,
                            wanted.id(),
                            wanted.token(),
                            wanted.sourceBoot(),
                            NodeFacts.bootId());
            TargetJournal begun =
                    TargetJournal.begin(
                            file,
                            head,
                            new TargetJournal.Note(
                                    Handover.Target.NONE,
                                    wanted.instance(),
                                    directory.carries(),
                                    directory.setAside(),
                                    Running.of(Proc.self()),
                                    Running.NONE,
                                    ""));
            journal = begun;
            return begun;
        } catch (IOException e) {
            file.close();
            throw Problem.failed("the target cannot note what it makes").because(e.toString());
        } catch (Problem e) {
            file.close();
            throw e;
        }
    }

    private void startCriu(Order wanted, Instance empty, CriuBundle bundle, Spool place)
            throws Problem, InterruptedException {
        Path inventory = place.directory().resolve(INVENTORY);
        Command.of("mkfifo", "-m", "600", inventory.toString())
                .run(PROGRAM)
                .orFail("could not make the FIFO on which criu waits");
        CriuSession restore =
                CriuSession.restore(
                        empty, bundle, place.directory(), EmptyInstance.lastPid(wanted.pids()));
        session = restore;
        made.push("ending criu", restore::kill);
    }

    private static Running criu(CriuSession restore) throws Problem {
        try {
            return Running.of(new Proc(restore.criuPid()));
        } catch (IOException e) {
            throw Problem.failed("criu ended at once").because(e.toString());
        }
    }

    private void joinCgroup(Instance empty) throws Problem {
        try {
            if (!Cgroup.join(new Proc(empty.appinit()))) {
                report.accept("the job will not be in the cgroup of its instance");
            }
        } catch (IOException e) {
            throw Problem.failed("the cgroup of the new instance cannot be entered")
                    .because(e.toString());
        }
    }

    @Override
    public JobSink sink() {
        return this;
    }

    @Override
    public void open(int id, String name) throws Problem {
        // the FIFO of that name is filled when all else is there
        prepared(images).open(id, name.equals(INVENTORY) ? INVENTORY_CAME : name);
    }

    @Override
    public void data(int id, long offset, ByteBuffer bytes) throws Problem {
        prepared(images).data(id, offset, bytes);
    }

    @Override
    public void end(int id, long length) throws Problem {
        prepared(images).end(id, length);
    }

    @Override
    public long sentBytes() {
        return pageBytes + (images == null ? 0 : images.bytes());
    }

    @Override
    public void restore(NetworkLock.@Nullable Table table) throws Problem, InterruptedException {
        Path tar = directory().resolve(RunDirectory.TAR);
        try {
            if (Files.exists(tar)) {
                Order wanted = prepared(order);
                RunDirectory.of(wanted.instance()).unpack(tar);
                Files.delete(tar);
            }
            if (table != null && !table.connections().isEmpty()) {
                NetworkLock lock = new NetworkLock(prepared(instance), table);
                TargetJournal begun = prepared(journal);
                begun.note(begun.note().with(table.name()));
                made.push("removing the network lock", lock::delete);
                lock.create();
            }
            releaseRestore();
            for (ProcessTree.Member member : ProcessTree.of(prepared(instance)).members()) {
                processes.put(member.pid(), member.process().pid());
            }
        } catch (IOException e) {
            throw Problem.failed("the job could not be restored").because(e.toString()).causedBy(e);
        }
    }

    /**
     * Gives criu its inventory and waits for the hold. The FIFO is opened for reading and writing:
     * for writing only it would block for ever if criu were dead. It is closed when criu has read
     * what is in it, since only then the end of the file follows.
     */
    private void releaseRestore() throws IOException, Problem, InterruptedException {
        CriuSession restore = prepared(session);
        byte[] inventory = Files.readAllBytes(directory().resolve(INVENTORY_CAME));
        Path fifo = directory().resolve(INVENTORY);
        Proc criu = new Proc(restore.criuPid());
        try (RandomAccessFile pipe = new RandomAccessFile(fifo.toFile(), "rw");
                FileInputStream unread = new FileInputStream(pipe.getFD())) {
            pipe.write(inventory);
            while (unread.available() > 0 && criu.alive()) {
                Thread.sleep(0, POLL_NANOS);
            }
        }
        restore.holdAt(Notify.POST_RESTORE, RESTORE);
        FaultPoint.TARGET_RESTORED.reached();
    }

    @Override
    public void pages(int pid, long address, ByteBuffer bytes) throws Problem {
        Long process = processes.get(pid);
        if (process == null) {
            throw Problem.failed("the source sent memory of process " + pid)
                    .because("no such process was restored");
        }
        try {
            memory.write(process, address, bytes);
            pageBytes += bytes.remaining();
        } catch (IOException e) {
            throw Problem.failed("the job's memory could not be filled in")
                    .because(e.getMessage())
                    .tryThis("see that the target has memory left, also in the job's cgroup")
                    .causedBy(e);
        }
    }

    @Override
    public void padding(ByteBuffer bytes) throws Problem {
        try {
            spare.clear().limit(bytes.remaining());
            memory.writeHere(spare, bytes);
        } catch (IOException e) {
            throw Problem.failed("this node does not let memory be written")
                    .because(e.getMessage())
                    .causedBy(e);
        }
    }

    @Override
    public void load(long expectedBytes) throws Problem, InterruptedException {
        prepared(session).orEnded();
        if (pageBytes != expectedBytes) {
            throw Problem.failed("the job's memory did not arrive whole")
                    .because(pageBytes + " bytes of " + expectedBytes + " came");
        }
        prepared(journal).on(TargetEvent.LOAD);
        FaultPoint.TARGET_LOADED.reached();
    }

    /**
     * A complete copy waits some minutes for a person to say that the source's node is dead.
     *
     * @return true if the job runs here by that decision; else all is to be discarded
     */
    public boolean takeOver() throws Problem, InterruptedException {
        TargetJournal token = journal;
        if (token == null || token.state() != Handover.Target.LOADED) {
            return false;
        }
        report.accept(
                "the source is silent; if its node is dead, within "
                        + TakeOver.KEPT.toMinutes()
                        + " minutes: migrator recover --take-over "
                        + token.head().id());
        if (!new TakeOver(token.head().id()).isDecided()) {
            return false;
        }
        take(TargetEvent.TAKE_OVER);
        return true;
    }

    @Override
    public void take() throws Problem, InterruptedException {
        take(TargetEvent.GRANT);
    }

    private void take(TargetEvent event) throws Problem, InterruptedException {
        TargetJournal token = prepared(journal);
        CriuSession held = prepared(session);
        FaultPoint.TARGET_TAKING.reached();
        try {
            held.orEnded();
            if (token.on(event) != TargetAction.LET_GO) {
                throw Problem.failed("the job is not complete on the target");
            }
        } catch (Problem e) {
            giveUp(); // before the answer: it says that the job never ran here
            throw e;
        }
        try {
            FaultPoint.TARGET_TAKEN.reached();
            held.holdAt(Notify.PRE_RESUME, RESUME);
            FaultPoint.TARGET_RESUMING.reached();
        } catch (Problem e) {
            giveUp();
            if (token.state() == Handover.Target.REFUSED) {
                throw e;
            }
        }
        if (token.state() == Handover.Target.TAKEN) {
            token.on(TargetEvent.RESUME);
        }
        made.commit();
        FaultPoint.TARGET_RUNNING.reached();
        tidy(held);
    }

    /** The job runs: nothing that fails here may be told as a failure of the move. */
    private void tidy(CriuSession held) throws InterruptedException {
        try {
            if (!held.finish(true, RESUME)) {
                report.accept("criu did not end well after it let the job go");
            }
            prepared(images).close();
            prepared(spool).close();
        } catch (IOException | Problem e) {
            report.accept("what is left of the move could not be removed: " + e.getMessage());
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
        switch (token.on(TargetEvent.GIVE_UP)) {
            case DISCARD -> {
                made.close();
                token.done();
            }
            case EXAMINE -> {
                prepared(session).kill();
                if (token.on(Examination.of(prepared(instance), directory()))
                        == TargetAction.DISCARD) {
                    made.close();
                    token.done();
                }
            }
            case NOTHING, PREPARE, LET_GO, FORGET -> {}
        }
    }

    @Override
    public void discard() throws Problem, InterruptedException {
        giveUp();
        if (journal != null && journal.state() == Handover.Target.REFUSED) {
            done(); // who asks to discard keeps the token
        }
    }

    @Override
    public void done() throws Problem {
        if (journal != null) {
            journal.on(TargetEvent.SOURCE_DONE);
        }
    }

    @Override
    public void close() {
        try {
            giveUp();
        } catch (Problem e) {
            report.accept(e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            if (journal != null) {
                journal.close();
            }
            memory.close();
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
