package io.migrator.migration;

import io.migrator.instance.ProcessTree;
import io.migrator.linux.ProcessMemory;
import io.migrator.memory.HeldTree;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * The private memory of a restored job, filled in while criu holds it. Pages that come earlier are
 * kept, so that they need not wait for criu. {@link #open} may be called by another thread that
 * ends before the next {@link #write}; all else is one thread's.
 */
final class RestoredMemory implements AutoCloseable {
    private static final int SPARE_BYTES = 1 << 20;

    /** About what comes over a fast link while criu restores. */
    private static final int KEPT_BYTES = Target.EARLY_BYTES + 2 * SPARE_BYTES;

    /** Pages that came before there was a process to write them to. */
    private record Kept(int pid, long address, ByteBuffer bytes) {}

    private @Nullable HeldTree processes;
    private @Nullable HeldRestore through;
    private final ProcessMemory memory = new ProcessMemory();
    private final ByteBuffer spare = ByteBuffer.allocateDirect(SPARE_BYTES);
    private final ByteBuffer store = ByteBuffer.allocateDirect(KEPT_BYTES);
    private final List<Kept> kept = new ArrayList<>();
    private long bytes;

    /**
     * From here processes can be written to, by their pids inside their instance.
     *
     * @param way by which that is done; null for the usual
     */
    void open(ProcessTree tree, @Nullable HeldRestore way) throws IOException {
        processes = new HeldTree(tree);
        through = way;
    }

    /**
     * Keeps pages of one process.
     *
     * @return false if there is no more room
     */
    boolean keep(int pid, long address, ByteBuffer pages) {
        int length = pages.remaining();
        if (length > store.remaining()) {
            return false;
        }
        kept.add(new Kept(pid, address, store.slice(store.position(), length)));
        store.put(pages);
        return true;
    }

    /** Writes what was kept. */
    void writeKept() throws Problem {
        for (Kept each : kept) {
            write(each.pid, each.address, each.bytes);
        }
        kept.clear();
    }

    /** Writes pages of one process. */
    void write(int pid, long address, ByteBuffer pages) throws Problem {
        HeldTree restored = processes;
        try {
            OptionalLong process = restored == null ? OptionalLong.empty() : restored.pid(pid);
            if (restored == null || process.isEmpty()) {
                throw Problem.failed("the source sent memory of process " + pid)
                        .because("no such process was restored");
            }
            if (through == null) {
                memory.write(process.getAsLong(), address, pages);
            } else {
                through.write(process.getAsLong(), address, pages);
            }
            restored.orEnded(pid);
            bytes += pages.remaining();
        } catch (IOException e) {
            throw Problem.failed("the job's memory could not be filled in")
                    .because(e.getMessage())
                    .tryThis("see that the target has memory left, also in the job's cgroup")
                    .causedBy(e);
        }
    }

    /** Does with bytes what is done with pages, but writes them nowhere: a rehearsal. */
    void rehearse(ByteBuffer padding) throws Problem {
        try {
            spare.clear().limit(padding.remaining());
            memory.writeHere(spare, padding);
        } catch (IOException e) {
            throw Problem.failed("this node does not let memory be written")
                    .because(e.getMessage())
                    .causedBy(e);
        }
    }

    long bytes() {
        return bytes;
    }

    /** Fails unless all of it came. */
    void orShort(long expectedBytes) throws Problem, InterruptedException {
        if (through != null) {
            through.orNotWritten();
        }
        if (bytes != expectedBytes) {
            throw Problem.failed("the job's memory did not arrive whole")
                    .because(bytes + " bytes of " + expectedBytes + " came");
        }
    }

    @Override
    public void close() {
        if (processes != null) {
            processes.close();
        }
        memory.close();
    }
}
