package io.migrator.handover;

import io.migrator.linux.PidFd;
import io.migrator.linux.PidFd.Signal;
import io.migrator.linux.Proc;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Keeps a tree that criu holds from running one instruction more, also when criu or we die: a
 * SIGSTOP queued to every process while all threads are in ptrace-stop. It is delivered when the
 * tracer lets go, whatever the reason (facts: handover.md section A, 0 of 100 ran).
 *
 * <p>Only between criu's post-dump and its verdict: earlier the signal would be in the images. The
 * processes are taken hold of beforehand, so that sealing is one system call for each. One thread.
 */
public final class Seal implements AutoCloseable {
    private record Held(PidFd process, boolean wasStopped) {}

    private final List<Held> tree = new ArrayList<>();

    private Seal() {}

    /**
     * Takes hold of every process of the tree, noting which were stopped by somebody else already.
     *
     * @param pids as seen here
     * @throws IOException if one is gone
     */
    public static Seal over(List<Long> pids) throws IOException {
        Seal seal = new Seal();
        try {
            for (long pid : pids) {
                seal.tree.add(new Held(PidFd.open(pid), new Proc(pid).state() == 'T'));
            }
            return seal;
        } catch (IOException e) {
            seal.close();
            throw e;
        }
    }

    /** Queues the stop: the tree stands still until {@link #lift} or {@link #kill}. */
    public void set() throws IOException {
        for (Held held : tree) {
            held.process.send(Signal.STOP);
        }
    }

    /** Lets the tree run on, but for those processes that stood before. */
    public void lift() throws IOException {
        for (Held held : tree) {
            if (!held.wasStopped) {
                held.process.send(Signal.CONT);
            }
        }
    }

    /** Ends the tree for good: the job runs elsewhere. */
    public void kill() throws IOException {
        for (Held held : tree) {
            held.process.send(Signal.KILL);
        }
    }

    @Override
    public void close() {
        tree.forEach(held -> held.process.close());
    }
}
