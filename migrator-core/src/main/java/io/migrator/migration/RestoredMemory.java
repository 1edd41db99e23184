package io.migrator.migration;

import io.migrator.instance.Instance;
import io.migrator.instance.ProcessTree;
import io.migrator.linux.ProcessMemory;
import io.migrator.memory.HeldTree;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.OptionalLong;

/** The private memory of a restored job, filled in while criu holds it. One thread. */
final class RestoredMemory implements AutoCloseable {
    private static final int SPARE_BYTES = 1 << 20;

    private @Nullable HeldTree processes;
    private @Nullable HeldRestore through;
    private final ProcessMemory memory = new ProcessMemory();
    private final ByteBuffer spare = ByteBuffer.allocateDirect(SPARE_BYTES);
    private long bytes;

    /** From here the processes of an instance can be written to, by their pids inside it. */
    void open(Instance instance, HeldRestore restore) throws Problem, IOException {
        processes = new HeldTree(ProcessTree.heldBy(restore.criuPid(), instance));
        through = instance.mode() == Instance.Mode.SETUID ? restore : null;
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
