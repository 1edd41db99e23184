package io.migrator.migration;

import io.migrator.instance.Instance;
import io.migrator.instance.ProcessTree;
import io.migrator.linux.ProcessMemory;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;

/** The private memory of a restored job, filled in while criu holds it. One thread. */
final class RestoredMemory implements AutoCloseable {
    private static final int SPARE_BYTES = 1 << 20;

    private final Map<Integer, Long> processes = new HashMap<>();
    private final ProcessMemory memory = new ProcessMemory();
    private final ByteBuffer spare = ByteBuffer.allocateDirect(SPARE_BYTES);
    private long bytes;

    /** From here the processes of an instance can be written to, by their pids inside it. */
    void open(Instance instance) throws Problem {
        for (ProcessTree.Member member : ProcessTree.of(instance).members()) {
            processes.put(member.pid(), member.process().pid());
        }
    }

    /** Writes pages of one process. */
    void write(int pid, long address, ByteBuffer pages) throws Problem {
        Long process = processes.get(pid);
        if (process == null) {
            throw Problem.failed("the source sent memory of process " + pid)
                    .because("no such process was restored");
        }
        try {
            memory.write(process, address, pages);
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
    void orShort(long expectedBytes) throws Problem {
        if (bytes != expectedBytes) {
            throw Problem.failed("the job's memory did not arrive whole")
                    .because(bytes + " bytes of " + expectedBytes + " came");
        }
    }

    @Override
    public void close() {
        memory.close();
    }
}
