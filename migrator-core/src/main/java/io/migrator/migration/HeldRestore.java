package io.migrator.migration;

import io.migrator.criu.CriuBundle;
import io.migrator.criu.CriuSession;
import io.migrator.criu.EmptyParent;
import io.migrator.criu.Notify;
import io.migrator.fault.FaultPoint;
import io.migrator.handover.Running;
import io.migrator.instance.Instance;
import io.migrator.instance.Instances;
import io.migrator.linux.Command;
import io.migrator.linux.FifoWriter;
import io.migrator.linux.Proc;
import io.migrator.memory.KeptPages;
import io.migrator.network.NetworkPlan;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Optional;

/**
 * criu's restore in an empty instance: started before the images come, it waits for orders on a
 * FIFO, then holds the job before its first instruction. One thread.
 */
final class HeldRestore implements AutoCloseable {
    private static final Duration PROGRAM = Duration.ofSeconds(20);
    private static final Duration RESTORE = Duration.ofMinutes(10);
    private static final Duration RESUME = Duration.ofMinutes(2);
    private static final int POLL_NANOS = 100_000;
    private static final Duration START = Duration.ofSeconds(30);
    private static final String ORDERS = "memory";
    private static final String PLACED = "placed";

    private final CriuSession session;
    private final Path images;

    private HeldRestore(CriuSession session, Path images) {
        this.session = session;
        this.images = images;
    }

    /** Starts criu, which waits. */
    static HeldRestore start(Order order, Instance empty, CriuBundle bundle, Path images)
            throws Problem, InterruptedException {
        Command.of("mkfifo", "-m", "600", images.resolve(ORDERS).toString())
                .run(PROGRAM)
                .orFail("could not make the FIFO on which criu waits");
        makeCounter(images.resolve(PLACED));
        int lastPid = EmptyInstance.lastPid(order.pids());
        CriuSession.Restoring what =
                new CriuSession.Restoring(
                        empty,
                        bundle,
                        images,
                        lastPid,
                        Instances.ofThisUser().logs(empty.name()),
                        order.logs(),
                        order.ahead(),
                        order.network().mode() == NetworkPlan.Mode.CLOSE,
                        order.fills());
        return new HeldRestore(CriuSession.restore(what), images);
    }

    /** For the journal. */
    Running criu() throws Problem {
        try {
            return Running.of(new Proc(session.criuPid()));
        } catch (IOException e) {
            throw Problem.failed("criu ended at once").because(e.toString());
        }
    }

    private static void makeCounter(Path file) throws Problem {
        try {
            Files.write(file, new byte[Long.BYTES], StandardOpenOption.CREATE_NEW);
        } catch (IOException e) {
            throw Problem.failed("could not make a file for criu").because(e.toString());
        }
    }

    /** The way by which criu gets pages and orders before it looks for the images (criufill.c). */
    FifoWriter orders() throws IOException, Problem, InterruptedException {
        long end = System.nanoTime() + START.toNanos();
        Optional<FifoWriter> open = FifoWriter.open(images.resolve(ORDERS));
        while (open.isEmpty()) {
            session.orEnded();
            if (System.nanoTime() > end) {
                throw new IOException("criu does not begin");
            }
            Thread.sleep(0, POLL_NANOS);
            open = FifoWriter.open(images.resolve(ORDERS));
        }
        return open.get();
    }

    /**
     * Lets criu begin, when all images are there.
     *
     * @param kept pages that criu has
     * @param processes how many of the job's processes get some of them
     * @param lacks whether more comes later
     */
    void begin(KeptPages kept, int processes, boolean lacks)
            throws IOException, Problem, InterruptedException {
        if (processes > 0) {
            EmptyParent.make(images);
        }
        kept.go(lacks);
    }

    /**
     * Waits for the hold.
     *
     * @param processes as {@link #begin} was told
     */
    void awaitHeld(int processes) throws IOException, Problem, InterruptedException {
        session.holdAt(Notify.POST_RESTORE, RESTORE);
        ByteBuffer placed = ByteBuffer.wrap(Files.readAllBytes(images.resolve(PLACED)));
        if (placed.order(ByteOrder.nativeOrder()).getLong() != processes) {
            throw Problem.failed("the job's memory was not put in its place")
                    .because("criu makes the mappings of a process in an unknown way")
                    .tryThis("migrate with --memory stop");
        }
        FaultPoint.TARGET_RESTORED.reached();
    }

    /** As seen from the node. */
    long criuPid() {
        return session.criuPid();
    }

    /** Fails if criu has ended. */
    void orEnded() throws Problem, InterruptedException {
        session.orEnded();
    }

    /** Lets the job go; criu waits once more when it stands before its first instruction. */
    void letGo() throws Problem, InterruptedException {
        session.holdAt(Notify.PRE_RESUME, RESUME);
        FaultPoint.TARGET_RESUMING.reached();
    }

    /** Lets criu end; returns whether it says that all went well. */
    boolean finish() throws Problem, InterruptedException {
        return session.finish(true, RESUME);
    }

    /** Ends criu at once; the instance is to be stopped next. */
    void kill() {
        session.kill();
    }

    @Override
    public void close() {
        session.close();
    }
}
