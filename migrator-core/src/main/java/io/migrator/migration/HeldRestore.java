package io.migrator.migration;

import io.migrator.criu.CriuBundle;
import io.migrator.criu.CriuSession;
import io.migrator.criu.Notify;
import io.migrator.fault.FaultPoint;
import io.migrator.handover.Running;
import io.migrator.instance.Instance;
import io.migrator.instance.Instances;
import io.migrator.linux.Command;
import io.migrator.linux.Proc;
import io.migrator.network.NetworkPlan;
import io.migrator.problem.Problem;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * criu's restore in an empty instance: started before the images come, it waits for its inventory
 * on a FIFO, then holds the job before its first instruction. One thread.
 */
final class HeldRestore implements AutoCloseable {
    private static final Duration PROGRAM = Duration.ofSeconds(20);
    private static final Duration RESTORE = Duration.ofMinutes(10);
    private static final Duration RESUME = Duration.ofMinutes(2);
    private static final int POLL_NANOS = 100_000;
    private static final String INVENTORY = "inventory.img";
    private static final String INVENTORY_CAME = "inventory.img.real";

    private final CriuSession session;
    private final Path images;

    private HeldRestore(CriuSession session, Path images) {
        this.session = session;
        this.images = images;
    }

    /** Starts criu, which waits. */
    static HeldRestore start(Order order, Instance empty, CriuBundle bundle, Path images)
            throws Problem, InterruptedException {
        Command.of("mkfifo", "-m", "600", images.resolve(INVENTORY).toString())
                .run(PROGRAM)
                .orFail("could not make the FIFO on which criu waits");
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
                        order.network().mode() == NetworkPlan.Mode.CLOSE);
        return new HeldRestore(CriuSession.restore(what), images);
    }

    /** Under which name an image is to be kept: the FIFO is filled when all else is there. */
    static String nameOf(String image) {
        return image.equals(INVENTORY) ? INVENTORY_CAME : image;
    }

    /** For the journal. */
    Running criu() throws Problem {
        try {
            return Running.of(new Proc(session.criuPid()));
        } catch (IOException e) {
            throw Problem.failed("criu ended at once").because(e.toString());
        }
    }

    /**
     * Gives criu its inventory and waits for the hold. The FIFO is opened for reading and writing:
     * for writing only it would block for ever if criu were dead. It is closed when criu has read
     * what is in it, since only then the end of the file follows.
     */
    void restore() throws IOException, Problem, InterruptedException {
        byte[] inventory = Files.readAllBytes(images.resolve(INVENTORY_CAME));
        Proc criu = new Proc(session.criuPid());
        try (RandomAccessFile pipe =
                        new RandomAccessFile(images.resolve(INVENTORY).toFile(), "rw");
                FileInputStream unread = new FileInputStream(pipe.getFD())) {
            pipe.write(inventory);
            while (unread.available() > 0 && criu.alive()) {
                Thread.sleep(0, POLL_NANOS);
            }
        }
        session.holdAt(Notify.POST_RESTORE, RESTORE);
        FaultPoint.TARGET_RESTORED.reached();
    }

    /** As seen from the node. */
    long criuPid() {
        return session.criuPid();
    }

    /** Writes pages of a process by the way of criu's parent, see {@link CriuSession#write}. */
    void write(long pid, long address, ByteBuffer pages) {
        session.write(pid, address, pages);
    }

    /** Fails unless all of that was written. */
    void orNotWritten() throws Problem, InterruptedException {
        session.orNotWritten(RESTORE);
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
