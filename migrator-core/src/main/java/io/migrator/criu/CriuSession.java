package io.migrator.criu;

import io.migrator.instance.Instance;
import io.migrator.instance.Logs;
import io.migrator.instance.ProcessTree;
import io.migrator.linux.Clocks;
import io.migrator.linux.Proc;
import io.migrator.linux.User;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * One {@code criu swrk} inside an instance, the only way criu is started there: one request, held
 * at a notification until a verdict is given (facts: swrk.md, handover.md). Field numbers are those
 * of criu's images/rpc.proto.
 *
 * <p>Used by one thread. Closing a session that is still held aborts it: a dump lets the payload
 * run on (unless it is sealed), a restore kills what it made.
 */
public final class CriuSession implements AutoCloseable {
    /** In the directory of the images (criu/uffd.c). */
    public static final String LAZY_SOCKET = "lazy-pages.socket";

    private static final int REQ_TYPE = 1;
    private static final int REQ_OPTS = 2;
    private static final int REQ_NOTIFY_SUCCESS = 3;
    private static final int TYPE_DUMP = 1;
    private static final int TYPE_RESTORE = 2;
    private static final int TYPE_NOTIFY = 6;
    private static final int RESP_SUCCESS = 2;
    private static final int RESP_NOTIFY = 5;
    private static final int NOTIFY_SCRIPT = 1;

    private static final int OPT_IMAGES_DIR_FD = 1;
    private static final int OPT_PID = 2;
    private static final int OPT_TCP_ESTABLISHED = 5;
    private static final int OPT_FILE_LOCKS = 8;
    private static final int OPT_LOG_LEVEL = 9;
    private static final int OPT_LOG_FILE = 10;
    private static final int OPT_NOTIFY_SCRIPTS = 12;
    private static final int OPT_INHERIT_FD = 27;
    private static final int INHERIT_KEY = 1;
    private static final int INHERIT_FD = 2;
    private static final int OPT_CGROUPS_MODE = 34;
    private static final int CGROUPS_IGNORE = 0;
    private static final int OPT_GHOST_LIMIT = 35;
    private static final int OPT_EXTERNAL = 37;
    private static final int OPT_TIMEOUT = 45;
    private static final int OPT_LAZY_PAGES = 48;
    private static final int OPT_TCP_CLOSE = 52;
    private static final int OPT_NETWORK_LOCK = 64;
    private static final int NETWORK_LOCK_SKIP = 3;
    private static final int OPT_UNPRIVILEGED = 67;
    private static final int OPT_IMAGES_DIR = 68;

    /** Said by a dump when all threads are held, before any is dumped. */
    private static final String FROZEN = "query-ext-files";

    private static final int LOG_LEVEL = 4;

    /** Told to criushim.c, and by it, in a form that the root entry lets pass. */
    private static final byte[] LOOK_AHEAD =
            ProtoMessage.empty().with(REQ_NOTIFY_SUCCESS, 7).toBytes();

    /** Deleted files up to this size travel inside the images. */
    private static final long GHOST_LIMIT_BYTES = 256L << 20;

    /**
     * So long criu waits for all processes to stop (criu/seize.c, collect_pstree), and those that
     * have stopped stand still.
     */
    private static final int STOPPING_SECONDS = 5;

    private static final Duration START = Duration.ofSeconds(10);

    private final Foothold foothold;
    private final String verb;
    private final CriuLog log;
    private final long criuPid;
    private boolean held;

    private CriuSession(Foothold foothold, String verb, CriuLog log)
            throws Problem, InterruptedException {
        this.foothold = foothold;
        this.verb = verb;
        this.log = log;
        if (!(foothold.next(START) instanceof Foothold.Started started)) {
            throw ended("did not start");
        }
        this.criuPid = started.criuPid();
    }

    /** Starts criu for a dump, and asks nothing of it yet: the job runs. */
    public static CriuSession forDump(
            Instance instance, ProcessTree tree, CriuBundle bundle, Path images)
            throws Problem, InterruptedException {
        Foothold foothold = Foothold.forDump(instance, tree, bundle, images);
        return opened(foothold, "dump", images);
    }

    /**
     * Asks criu to dump a tree, without its private anonymous memory: the pages left out are listed
     * in the file {@code hidden} (criushim.c). Returns at once.
     *
     * @param root pid of the tree's root inside the instance
     * @param logs those of Apptainer's log files that the tree has open
     * @param closes true if its connections are left behind
     */
    public void dump(int root, List<Logs.Held> logs, boolean closes) {
        ProtoMessage options =
                common("dump.log", closes)
                        .with(OPT_PID, root)
                        .with(OPT_TIMEOUT, STOPPING_SECONDS)
                        .with(OPT_GHOST_LIMIT, GHOST_LIMIT_BYTES);
        for (Logs.Held log : logs) {
            if (log.external().isPresent()) {
                options = options.with(OPT_EXTERNAL, log.external().get());
            }
        }
        request(TYPE_DUMP, options);
    }

    /**
     * What is to be restored.
     *
     * @param instance empty
     * @param images directory
     * @param lastPid where the pid counter of the instance is to stand first
     * @param logs of the instance
     * @param held those of them that the job gets, as it had others on the source
     * @param ahead how far the job's clocks are ahead of this node's; criu sees to that itself
     *     where it has privilege
     * @param closes true if its connections were left behind
     * @param fills true if some of its memory comes when it runs: criu gives the descriptors by
     *     which that is done to who listens at {@link #LAZY_SOCKET}
     */
    public record Restoring(
            Instance instance,
            CriuBundle bundle,
            Path images,
            int lastPid,
            Logs logs,
            List<Logs.Held> held,
            Clocks ahead,
            boolean closes,
            boolean fills) {}

    /**
     * Asks criu to restore the images; returns at once. criu first takes orders from a FIFO
     * (criufill.c).
     */
    public static CriuSession restore(Restoring what) throws Problem, InterruptedException {
        Foothold foothold = Foothold.forRestore(what);
        CriuSession session = opened(foothold, "restore", what.images);
        ProtoMessage options = common("restore.log", what.closes);
        if (what.fills) {
            options = options.with(OPT_LAZY_PAGES, true);
        }
        for (Logs.Held log : what.held) {
            ProtoMessage inherited =
                    ProtoMessage.empty()
                            .with(INHERIT_KEY, log.inherited())
                            .with(INHERIT_FD, log.errors() ? Foothold.ERR_FD : Foothold.OUT_FD);
            options = options.with(OPT_INHERIT_FD, inherited);
        }
        session.request(TYPE_RESTORE, options);
        return session;
    }

    private static CriuSession opened(Foothold foothold, String verb, Path images)
            throws Problem, InterruptedException {
        ErrorBook.entries(); // it is read now: when criu fails, the job may stand still
        try {
            return new CriuSession(foothold, verb, new CriuLog(images.resolve(verb + ".log")));
        } catch (Problem | InterruptedException e) {
            foothold.close();
            throw e;
        }
    }

    private static ProtoMessage common(String logFile, boolean closes) {
        return ProtoMessage.empty()
                .with(OPT_IMAGES_DIR_FD, -1)
                .with(OPT_IMAGES_DIR, "/proc/self/fd/7")
                .with(OPT_LOG_LEVEL, LOG_LEVEL)
                .with(OPT_LOG_FILE, logFile)
                .with(OPT_NOTIFY_SCRIPTS, true)
                .with(closes ? OPT_TCP_CLOSE : OPT_TCP_ESTABLISHED, true)
                .with(OPT_FILE_LOCKS, true)
                // the tree comes up in criu's cgroup, which is the new instance's
                .with(OPT_CGROUPS_MODE, CGROUPS_IGNORE)
                .with(OPT_UNPRIVILEGED, !User.isRoot())
                // ours is made at the same moment (network/NetworkLock.java)
                .with(OPT_NETWORK_LOCK, NETWORK_LOCK_SKIP);
    }

    private void request(int type, ProtoMessage options) {
        foothold.send(ProtoMessage.empty().with(REQ_TYPE, type).with(REQ_OPTS, options).toBytes());
    }

    /** criu's pid as seen by the caller. */
    public long criuPid() {
        return criuPid;
    }

    /**
     * Fails if criu has ended at its hold, which nobody else would tell.
     *
     * @throws Problem quoting its log
     */
    public void orEnded() throws Problem, InterruptedException {
        if (!new Proc(criuPid).alive()) {
            throw finished();
        }
    }

    /**
     * Lets criu work (answering yes to what it is held at) until the given notification, which
     * stays unanswered: criu holds.
     *
     * @throws Problem if criu ends first, quoting its log
     */
    public void holdAt(Notify wanted, Duration deadline) throws Problem, InterruptedException {
        holdAt(wanted, deadline, () -> {}, () -> {});
    }

    /** Something to be done while criu waits. */
    @FunctionalInterface
    public interface Step {
        /** Does it. */
        void run() throws Problem, InterruptedException;
    }

    /**
     * The same of a dump.
     *
     * @param frozen is done when all threads are held and nothing is dumped yet
     * @param dumping is done when criu has begun to dump
     */
    public void holdAt(Notify wanted, Duration deadline, Step frozen, Step dumping)
            throws Problem, InterruptedException {
        long end = System.nanoTime() + deadline.toNanos();
        if (held) {
            answer(true);
        }
        while (true) {
            String notify = notifyOf(next(end));
            if (notify == null) {
                throw finished();
            }
            if (notify.equals(wanted.text())) {
                held = true;
                return;
            }
            if (notify.equals(FROZEN)) {
                frozen.run();
                answer(true);
                dumping.run();
            } else {
                answer(true);
            }
        }
    }

    /**
     * Gives the verdict at the hold and waits for criu's end.
     *
     * @return whether criu says that it succeeded
     */
    public boolean finish(boolean verdict, Duration deadline) throws Problem, InterruptedException {
        long end = System.nanoTime() + deadline.toNanos();
        answer(verdict);
        boolean success = false;
        while (true) {
            Foothold.Packet packet = next(end);
            if (packet instanceof Foothold.Ended) {
                return success;
            }
            if (notifyOf(packet) != null) {
                answer(true);
            } else if (packet instanceof Foothold.Message message) {
                success = parsed(message).number(RESP_SUCCESS).orElse(0) == 1;
            }
        }
    }

    /**
     * At the hold before the freeze: lets criu read what it takes long over, 10 ms for each GB of
     * the job (criushim.c). The job runs.
     */
    public void lookAhead(Duration deadline) throws Problem, InterruptedException {
        foothold.send(LOOK_AHEAD);
        Foothold.Packet answer = next(System.nanoTime() + deadline.toNanos());
        if (!(answer instanceof Foothold.Message message)
                || message.bytes().length != LOOK_AHEAD.length) {
            throw finished();
        }
    }

    private void answer(boolean verdict) {
        held = false;
        foothold.send(
                ProtoMessage.empty()
                        .with(REQ_TYPE, TYPE_NOTIFY)
                        .with(REQ_NOTIFY_SUCCESS, verdict)
                        .toBytes());
    }

    private Foothold.Packet next(long endNanos) throws Problem, InterruptedException {
        Foothold.Packet packet =
                foothold.next(Duration.ofNanos(Math.max(0, endNanos - System.nanoTime())));
        if (packet == null) {
            throw Problem.failed("criu's " + verb + " did not get further in time")
                    .because(log.because());
        }
        return packet;
    }

    /** The name of a notification, or null if the packet is something else. */
    private @Nullable String notifyOf(Foothold.Packet packet) throws Problem {
        if (!(packet instanceof Foothold.Message message)) {
            return null;
        }
        try {
            for (ProtoMessage notify : parsed(message).messages(RESP_NOTIFY)) {
                return notify.text(NOTIFY_SCRIPT).orElse("");
            }
            return null;
        } catch (IOException e) {
            throw garbled(e);
        }
    }

    private ProtoMessage parsed(Foothold.Message message) throws Problem {
        try {
            return ProtoMessage.parse(message.bytes());
        } catch (IOException e) {
            throw garbled(e);
        }
    }

    private Problem garbled(IOException e) {
        return Problem.failed("criu's message cannot be read").because(e.getMessage()).causedBy(e);
    }

    /** criu answered its request before the hold, or died: either way its log has the cause. */
    private Problem finished() throws InterruptedException {
        foothold.close();
        Foothold.Packet last = foothold.next(START);
        while (last instanceof Foothold.Message) {
            last = foothold.next(START);
        }
        int status = last instanceof Foothold.Ended end ? end.waitStatus() : 0;
        int signal = status & 0x7f;
        return ended(signal == 0 ? "failed" : "was killed by signal " + signal);
    }

    private Problem ended(String how) {
        String complaint = foothold.complaint();
        List<String> causes = log.causes();
        String because = causes.isEmpty() && !complaint.isEmpty() ? complaint : log.because();
        Problem problem = Problem.failed("criu's " + verb + " " + how).because(because);
        return ErrorBook.of(causes)
                .map(known ->
                        problem.because("%s (%s)".formatted(because, known.cause()))
                                .tryThis(known.remedy()))
                .orElse(problem);
    }

    /**
     * Kills criu and does not wait. For a dump that is complete and whose tree is kept still by
     * something else: killed criu leaves everything of the tree as it is.
     */
    public void abandon() {
        foothold.kill();
    }

    /**
     * Ends criu at once, whatever it is at. Only for a restore whose instance is stopped next: what
     * it had made of the tree stays behind.
     */
    public void kill() {
        foothold.kill();
        close();
    }

    /** Lets go of criu, which aborts what it holds, and waits for its end. */
    @Override
    public void close() {
        foothold.close();
    }
}
