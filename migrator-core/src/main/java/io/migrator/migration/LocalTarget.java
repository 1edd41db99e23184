package io.migrator.migration;

import io.migrator.criu.CriuBundle;
import io.migrator.criu.CriuSession;
import io.migrator.criu.Notify;
import io.migrator.files.RunDirectory;
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
    private long pageBytes;
    private boolean taken;

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
        Spool place = Spool.create(wanted.id());
        spool = place;
        made.push("removing the images", place::close);
        ImageFiles files = new ImageFiles(place.directory());
        images = files;
        made.push("closing the images", files::close);
        boolean wantsRunDirectory = CarriedDirectory.prepare(wanted, place, made);
        made.push("stopping the empty instance", () -> Apptainer.stop(wanted.instance()));
        Instance empty = EmptyInstance.start(wanted);
        instance = empty;
        joinCgroup(empty);
        Path inventory = place.directory().resolve(INVENTORY);
        Command.of("mkfifo", "-m", "600", inventory.toString())
                .run(PROGRAM)
                .orFail("could not make the FIFO on which criu waits");
        CriuSession restore =
                CriuSession.restore(
                        empty, bundle, place.directory(), EmptyInstance.lastPid(wanted.pids()));
        session = restore;
        made.push("ending criu", restore::kill);
        return new Prepared(wantsRunDirectory);
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
    }

    @Override
    public void take() throws Problem, InterruptedException {
        CriuSession held = prepared(session);
        held.orEnded();
        try {
            Leftover.removeFrom(prepared(spool));
        } catch (IOException e) {
            throw Problem.failed("the job could not be taken").because(e.toString());
        }
        // criu hears "yes" on the next line: from here nothing is undone, whatever fails
        made.commit();
        taken = true;
        try {
            held.holdAt(Notify.PRE_RESUME, RESUME);
        } catch (Problem e) {
            throw Problem.undecided("criu failed while it let the job go")
                    .because(e.getMessage())
                    .tryThis("look whether the job runs there; if not, stop that instance");
        }
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

    @Override
    public void discard() {
        if (!taken) {
            made.close();
        }
    }

    @Override
    public void close() {
        discard();
        memory.close();
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
