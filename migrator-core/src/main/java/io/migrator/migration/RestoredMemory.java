package io.migrator.migration;

import io.migrator.instance.ProcessTree;
import io.migrator.linux.ProcessMemory;
import io.migrator.memory.HeldTree;
import io.migrator.memory.JobPages;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.OptionalLong;

/**
 * The private memory of a restored job, filled in while criu holds it. {@link #open} may be called
 * by another thread that ends before the next {@link #write}; all else is one thread's.
 */
final class RestoredMemory implements AutoCloseable {
    private static final int SPARE_BYTES = 1 << 20;

    private @Nullable HeldTree processes;
    private @Nullable HeldRestore through;
    private final ByteBuffer spare = ByteBuffer.allocateDirect(SPARE_BYTES);
    private JobPages missing = new JobPages();
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
     * Says which pages must be written; they are taken out of it as they are.
     *
     * @param allBytes these, and those that are there already
     */
    void expect(JobPages pages, long allBytes) {
        missing = pages;
        bytes = allBytes;
    }

    /** Writes pages of one process. Any thread. */
    void write(int pid, long address, ByteBuffer pages) throws Problem {
        HeldTree restored = processes;
        try {
            OptionalLong process = restored == null ? OptionalLong.empty() : restored.pid(pid);
            if (restored == null || process.isEmpty()) {
                throw Problem.failed("the source sent memory of process " + pid)
                        .because("no such process was restored");
            }
            write(process.getAsLong(), address, pages);
            restored.orEnded(pid);
            written(pid, address, pages.remaining());
        } catch (IOException e) {
            throw Problem.failed("the job's memory could not be filled in")
                    .because(e.getMessage())
                    .tryThis("see that the target has memory left, also in the job's cgroup")
                    .causedBy(e);
        }
    }

    private void write(long pid, long address, ByteBuffer pages) throws IOException {
        HeldRestore way = through;
        if (way != null) {
            synchronized (this) {
                way.write(pid, address, pages);
            }
            return;
        }
        try (ProcessMemory memory = new ProcessMemory()) {
            memory.write(pid, address, pages);
        }
    }

    private synchronized void written(int pid, long address, int length) {
        missing.remove(pid, address, address + length);
    }

    /** Does with bytes what is done with pages, but writes them nowhere: a rehearsal. */
    void rehearse(ByteBuffer padding) throws Problem {
        try (ProcessMemory memory = new ProcessMemory()) {
            spare.clear().limit(padding.remaining());
            memory.writeHere(spare, padding);
        } catch (IOException e) {
            throw Problem.failed("this node does not let memory be written")
                    .because(e.getMessage())
                    .causedBy(e);
        }
    }

    /** Fails unless all of it is written. */
    void orShort(long expectedBytes) throws Problem, InterruptedException {
        if (through != null) {
            through.orNotWritten();
        }
        if (bytes != expectedBytes || missing.bytes() != 0) {
            throw Problem.failed("the job's memory did not arrive whole")
                    .because(
                            "%d bytes of %d are missing, and there should be %d"
                                    .formatted(missing.bytes(), bytes, expectedBytes));
        }
    }

    @Override
    public void close() {
        if (processes != null) {
            processes.close();
        }
    }
}
