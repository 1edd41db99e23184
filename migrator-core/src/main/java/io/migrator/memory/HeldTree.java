package io.migrator.memory;

import io.migrator.instance.ProcessTree;
import io.migrator.linux.PidFd;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/**
 * The processes of a tree by their pids inside, held, so that no other can be taken for one of them
 * that has died and whose pid is in use again: root reads their memory. One thread.
 */
public final class HeldTree implements AutoCloseable {
    private final Map<Integer, PidFd> processes = new HashMap<>();

    /** Takes hold of a tree. */
    public HeldTree(ProcessTree tree) throws IOException {
        try {
            for (ProcessTree.Member member : tree.members()) {
                processes.put(member.pid(), PidFd.open(member.process().pid()));
                if (member.process().innerPid() != member.pid()) {
                    throw new IOException("process " + member.pid() + " ended");
                }
            }
        } catch (IOException e) {
            close();
            throw e;
        }
    }

    /**
     * One of them, which is this object's.
     *
     * @throws IOException if there never was such a process, or it has ended
     */
    PidFd process(int inside) throws IOException {
        PidFd process = processes.get(inside);
        if (process == null) {
            throw new IOException("process " + inside + " came meanwhile");
        }
        if (!process.exists()) {
            throw new IOException("process " + inside + " ended");
        }
        return process;
    }

    @Override
    public void close() {
        processes.values().forEach(PidFd::close);
    }
}
