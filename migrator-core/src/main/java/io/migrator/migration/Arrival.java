package io.migrator.migration;

import io.migrator.criu.BoundSockets;
import io.migrator.criu.ImageOwner;
import io.migrator.criu.MemoryMap;
import io.migrator.instance.Instance;
import io.migrator.instance.ProcessTree;
import io.migrator.linux.Memory;
import io.migrator.memory.HiddenPages;
import io.migrator.memory.HugePages;
import io.migrator.memory.Inherited;
import io.migrator.memory.JobPages;
import io.migrator.memory.KeptPages;
import io.migrator.memory.PageRange;
import io.migrator.network.HeldSockets;
import io.migrator.network.NetworkLock;
import io.migrator.network.TargetNetwork;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * A job that comes in: criu restores it on a thread of its own, while its memory arrives already.
 * Used by one thread beside that one.
 */
final class Arrival implements AutoCloseable {
    /** A dump may list a page twice. */
    private static final int MOST_TIMES = 2;

    /** Meanwhile the source waits, but not the job. */
    private static final Duration MENDING = Duration.ofSeconds(10);

    private final Order order;
    private final Instance instance;
    private final HeldRestore restore;
    private final TargetNetwork network;
    private final Path images;
    private final Map<String, String> rebound;
    private final boolean carries;

    /** Memory that there was for it before any came. */
    private final long roomBytes;

    private final @Nullable LateArrival late;
    private final Steps steps;
    private final KeptPages kept;
    private final Background addresses;
    private final Background looking;
    private JobPages wanted = new JobPages();

    /** Those of the wanted ones that come late. */
    private JobPages lacking = new JobPages();

    private Inherited inherited = Inherited.none();

    private long wantedBytes;

    /** Of these what neither came nor is to come. */
    private long missingBytes;

    private ProcessTree tree = new ProcessTree(List.of());
    private HeldSockets sockets = HeldSockets.none();
    private final Background unpacking;
    private final Background work;
    private List<NetworkLock.Pair> pairs = List.of();
    private boolean begun;
    private boolean closed;

    private Arrival(
            Order order,
            Instance instance,
            HeldRestore restore,
            TargetNetwork network,
            Path images,
            boolean carries,
            Map<String, String> rebound,
            long roomBytes,
            @Nullable LateArrival late,
            Steps steps) {
        this.late = late;
        this.steps = steps;
        this.order = order;
        this.instance = instance;
        this.restore = restore;
        this.network = network;
        this.images = images;
        this.carries = carries;
        this.rebound = rebound;
        this.roomBytes = roomBytes;
        this.kept = new KeptPages(restore::orders);
        this.addresses = Background.aside("network", steps.noting("addresses", this::arrive));
        this.unpacking =
                Background.ready("unpack", steps.noting("run directory comes", this::unpack));
        this.work = Background.ready("restore", this::restore);
        this.looking = Background.ready("tree", this::look);
    }

    /**
     * One that is awaited.
     *
     * @param instance empty
     * @param restore of it, not begun
     * @param network of it, prepared
     * @param images directory
     * @param carries whether the run directory comes with them
     * @param late what may come when the job runs; null if nothing may
     * @param steps where is noted what is done
     */
    static Arrival of(
            Order order,
            Instance instance,
            HeldRestore restore,
            TargetNetwork network,
            Path images,
            boolean carries,
            @Nullable LateArrival late,
            Steps steps)
            throws Problem, InterruptedException {
        Map<String, String> rebound = TargetNetwork.rebound(order.network());
        long roomBytes = Memory.availableBytes();
        return new Arrival(
                order, instance, restore, network, images, carries, rebound, roomBytes, late,
                steps);
    }

    /** The job stands still and nobody hears it: its addresses come. */
    void frozen() {
        addresses.go();
    }

    private void arrive() throws Problem, InterruptedException {
        network.arrive();
    }

    /**
     * All images are there: begins to restore them. A failure is told by the next call.
     *
     * @param ownPairs connections of the job to itself
     */
    void begin(List<NetworkLock.Pair> ownPairs) {
        addresses.go();
        pairs = ownPairs;
        begun = true;
        work.go();
    }

    private void restore() throws Problem, InterruptedException, IOException {
        boolean restored = false;
        try {
            restoreAll();
            restored = true;
        } finally {
            if (!restored && late != null) {
                late.giveUp();
            }
        }
    }

    private void restoreAll() throws Problem, InterruptedException, IOException {
        if (instance.mode() != Instance.Mode.ROOT) {
            ImageOwner.orForeign(images, instance);
        }
        unpacking.go();
        BoundSockets.move(images, rebound);
        network.cut(pairs);
        wanted = wanted();
        try {
            Map<Integer, MemoryMap> maps = MemoryMap.all(images);
            if (late != null) {
                lacking = late.expect(wanted, maps, MOST_TIMES * roomBytes);
            }
            JobPages now = lacking.bytes() > 0 ? wanted.without(lacking) : wanted;
            inherited = inherited(now, maps);
            int processes = kept.place(now, maps, inherited);
            addresses.await("the network of the job could not be made");
            unpacking.await("the run directory could not be unpacked");
            restore.begin(kept, processes, lacking.bytes() > 0);
            wantedBytes = wanted.bytes();
            missingBytes =
                    wanted.without(kept.placed()).bytes()
                            - lacking.bytes()
                            - inherited.pages().bytes();
            try (Steps.Begun _ = steps.begin("criu restores")) {
                restore.awaitHeld(processes);
            }
        } catch (IOException e) {
            restore.orEnded(); // which its log tells better
            throw e;
        }
    }

    private void unpack() throws Problem, IOException {
        if (carries) {
            CarriedDirectory.unpack(order, images);
        }
    }

    private void look() throws IOException, Problem {
        tree = ProcessTree.heldBy(restore.criuPid(), instance);
        sockets = order.network().keeps() ? HeldSockets.of(tree.processes()) : sockets;
    }

    /** Whether the images are being restored, or are. */
    boolean hasBegun() {
        return begun;
    }

    private Inherited inherited(JobPages now, Map<Integer, MemoryMap> maps) throws IOException {
        JobPages listed = HiddenPages.inherited(images).all(MOST_TIMES * roomBytes);
        if (listed.bytes() == 0) {
            return Inherited.none();
        }
        Inherited found = Inherited.of(listed, images, maps).possible(now);
        if (found.pages().bytes() != listed.bytes()) {
            throw new IOException("processes are to inherit pages that they cannot");
        }
        return found;
    }

    private JobPages wanted() throws Problem {
        try {
            return HiddenPages.of(images).all(MOST_TIMES * roomBytes);
        } catch (IOException e) {
            throw Problem.failed("the list of the job's pages cannot be read")
                    .because(e.getMessage());
        }
    }

    /** Takes pages of a process, before the restore begins, or late ones. */
    void pages(int pid, List<PageRange> places, ByteBuffer bytes)
            throws Problem, InterruptedException {
        int at = bytes.position();
        for (PageRange each : places) {
            pages(pid, each, bytes.slice(at, (int) each.bytes()));
            at += (int) each.bytes();
        }
    }

    private void pages(int pid, PageRange place, ByteBuffer bytes)
            throws Problem, InterruptedException {
        take(late -> late.pages(pid, place, bytes), () -> kept.put(pid, place.start(), bytes));
    }

    /** Takes pages of zeros, before the restore begins, or late ones. */
    void zeros(int pid, PageRange place) throws Problem, InterruptedException {
        take(late -> late.zeros(pid, place), () -> kept.zeros(pid, place));
    }

    private interface Filling {
        void run(LateArrival late) throws IOException, InterruptedException;
    }

    private void take(Filling filling, Keeping keeping) throws Problem, InterruptedException {
        if (!begun || late == null) {
            keep(keeping);
            return;
        }
        try {
            filling.run(late);
        } catch (IOException e) {
            throw noRoom(e);
        }
    }

    private interface Keeping {
        boolean isDone() throws IOException, Problem, InterruptedException;
    }

    private void keep(Keeping pages) throws Problem, InterruptedException {
        if (begun) {
            throw Problem.failed("the source sent a page after it asked to restore the job");
        }
        try {
            if (!pages.isDone()) {
                throw Problem.failed("the job has too many processes")
                        .because("criu has no room for the memory of them all");
            }
        } catch (IOException e) {
            restore.orEnded();
            throw noRoom(e);
        }
    }

    private static Problem noRoom(IOException e) {
        return Problem.failed("the job's memory could not be kept on the target")
                .because(e.getMessage())
                .tryThis("see that the target has memory left, also in the job's cgroup")
                .causedBy(e);
    }

    /** Returns when the job is restored and all of its memory in its place. */
    void complete(long expectedBytes) throws Problem, InterruptedException {
        if (!begun) {
            throw Problem.failed("the source did not ask to restore the job");
        }
        work.await("the job could not be restored");
        restore.orEnded();
        if (wantedBytes != expectedBytes || missingBytes != 0) {
            throw Problem.failed("the job's memory did not arrive whole")
                    .because(
                            "%d bytes of %d are missing, and there should be %d"
                                    .formatted(missingBytes, wantedBytes, expectedBytes));
        }
        looking.go();
    }

    /** Whether some of its memory comes when it runs. */
    boolean fills() throws Problem, InterruptedException {
        try {
            return late != null && late.complete();
        } catch (IOException e) {
            throw noRoom(e);
        }
    }

    /** Fails if what is still to come could not: before the job is let go. */
    void orLeftAlone() throws Problem {
        try {
            if (late != null && lacking.bytes() > 0) {
                late.orLeftAlone();
            }
        } catch (IOException e) {
            throw noRoom(e);
        }
    }

    /** Nothing more comes. */
    void endLate() throws IOException, InterruptedException {
        if (late != null) {
            late.end();
        }
    }

    /** What came late makes huge pages, where it can. */
    void mend() throws Problem, InterruptedException {
        if (lacking.bytes() > 0) {
            HugePages.make(tree(), lacking, MENDING);
        }
    }

    /** Fails if something is missing of what came late. */
    void orIncomplete() throws Problem {
        if (late != null) {
            late.orIncomplete();
        }
    }

    /** The processes that were restored. */
    ProcessTree tree() throws Problem, InterruptedException {
        looking.await("the restored processes are not seen");
        return tree;
    }

    /** Says something in every connection of the job, which does not run yet. */
    void probe() throws Problem, InterruptedException {
        looking.await("the connections of the job are not seen");
        try (HeldSockets each = sockets) {
            each.probe();
        } catch (IOException e) {
            throw Problem.failed("a connection of the job goes on late").because(e.getMessage());
        }
    }

    private void stop() {
        work.stop();
        unpacking.stop();
        addresses.stop();
        looking.stop();
    }

    /** May be called again. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            stop();
            kept.close();
            sockets.close();
            if (late != null) {
                late.close();
            }
        }
    }
}
