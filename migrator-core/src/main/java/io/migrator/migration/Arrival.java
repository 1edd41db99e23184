package io.migrator.migration;

import io.migrator.criu.BoundSockets;
import io.migrator.criu.ImageOwner;
import io.migrator.criu.MemoryMap;
import io.migrator.instance.Instance;
import io.migrator.instance.ProcessTree;
import io.migrator.linux.Memory;
import io.migrator.memory.HiddenPages;
import io.migrator.memory.JobPages;
import io.migrator.memory.KeptPages;
import io.migrator.memory.PageRange;
import io.migrator.memory.PageStore;
import io.migrator.network.NetworkLock;
import io.migrator.network.TargetNetwork;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A job that comes in: criu restores it on a thread of its own, while its memory arrives already.
 * Used by one thread beside that one.
 */
final class Arrival implements AutoCloseable {
    /** A dump may list a page twice. */
    private static final int MOST_TIMES = 2;

    private final Order order;
    private final Instance instance;
    private final HeldRestore restore;
    private final TargetNetwork network;
    private final Path images;
    private final Map<String, String> rebound;
    private final boolean carries;

    /** Memory that there was for it before any came. */
    private final long roomBytes;

    private final RestoredMemory memory = new RestoredMemory();

    private final KeptPages kept;

    /** What has no room there. */
    private final PageStore store;

    private JobPages wanted = new JobPages();
    private ProcessTree tree = new ProcessTree(List.of());
    private @Nullable Background work;
    private boolean restored;
    private boolean closed;

    private Arrival(
            Order order,
            Instance instance,
            HeldRestore restore,
            TargetNetwork network,
            Path images,
            boolean carries,
            Map<String, String> rebound,
            long roomBytes) {
        this.order = order;
        this.instance = instance;
        this.restore = restore;
        this.network = network;
        this.images = images;
        this.carries = carries;
        this.rebound = rebound;
        this.roomBytes = roomBytes;
        this.kept = new KeptPages(restore::orders);
        this.store = new PageStore(images);
    }

    /**
     * One that is awaited.
     *
     * @param instance empty
     * @param restore of it, not begun
     * @param network of it, prepared
     * @param images directory
     * @param carries whether the run directory comes with them
     */
    static Arrival of(
            Order order,
            Instance instance,
            HeldRestore restore,
            TargetNetwork network,
            Path images,
            boolean carries)
            throws Problem, InterruptedException {
        Map<String, String> rebound = TargetNetwork.rebound(order.network());
        long roomBytes = Memory.availableBytes();
        return new Arrival(order, instance, restore, network, images, carries, rebound, roomBytes);
    }

    /** All images are there: begins to restore them. A failure is told by the next call. */
    void begin(List<NetworkLock.Pair> pairs) {
        work = Background.start("restore", () -> restore(pairs));
    }

    private void restore(List<NetworkLock.Pair> pairs)
            throws Problem, InterruptedException, IOException {
        if (instance.mode() != Instance.Mode.ROOT) {
            ImageOwner.orForeign(images, instance);
        }
        if (carries) {
            CarriedDirectory.unpack(order, images);
        }
        BoundSockets.move(images, rebound);
        network.arrive(pairs);
        wanted = wanted();
        try {
            restore.restore(kept, kept.place(wanted, MemoryMap.all(images)));
        } catch (IOException e) {
            restore.orEnded(); // which its log tells better
            throw e;
        }
        tree = ProcessTree.heldBy(restore.criuPid(), instance);
        memory.open(tree, instance.mode() == Instance.Mode.SETUID ? restore : null);
    }

    /** Whether the images are being restored, or are. */
    boolean hasBegun() {
        return work != null;
    }

    /** Returns when that is done, and what came of its memory by then is in its place. */
    private void awaitRestored() throws Problem, InterruptedException {
        if (restored) {
            return;
        }
        if (work == null) {
            throw Problem.failed("the source did not ask to restore the job");
        }
        work.await("the job could not be restored");
        memory.expect(wanted.without(kept.placed()), wanted.bytes());
        try {
            store.forEach(wanted, memory::write);
        } catch (IOException e) {
            throw noRoom(e);
        }
        restored = true;
    }

    private JobPages wanted() throws Problem {
        try {
            return HiddenPages.of(images).all(MOST_TIMES * roomBytes);
        } catch (IOException e) {
            throw Problem.failed("the list of the job's pages cannot be read")
                    .because(e.getMessage());
        }
    }

    /** Takes pages of a process, before the restore begins. */
    void pages(int pid, List<PageRange> places, ByteBuffer bytes)
            throws Problem, InterruptedException {
        int at = bytes.position();
        for (PageRange each : places) {
            pages(pid, each.start(), bytes.slice(at, (int) each.bytes()));
            at += (int) each.bytes();
        }
    }

    private void pages(int pid, long address, ByteBuffer bytes)
            throws Problem, InterruptedException {
        if (work != null) {
            throw Problem.failed("the source sent a page after it asked to restore the job");
        }
        try {
            if (!kept.put(pid, address, bytes)) {
                store.put(pid, address, bytes);
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

    /** Does with bytes what is done with pages, but writes them nowhere. */
    void padding(ByteBuffer bytes) throws Problem {
        memory.rehearse(bytes);
    }

    /** Returns when the job is restored and all of its memory in its place. */
    void complete(long expectedBytes) throws Problem, InterruptedException {
        awaitRestored();
        restore.orEnded();
        memory.orShort(expectedBytes);
    }

    /** The processes that were restored. */
    ProcessTree tree() {
        return tree;
    }

    /** Ends a restore that is under way. */
    void stop() {
        if (work != null) {
            work.stop();
        }
    }

    /** May be called again. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            memory.close();
            kept.close();
            store.close();
        }
    }
}
