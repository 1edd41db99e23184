package io.migrator.network;

import io.migrator.linux.ForeignSocket;
import io.migrator.linux.ForeignSocket.Option;
import io.migrator.linux.Proc;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Duplicates of the connections of a restored job that stands still, taken before they are needed.
 * One thread at a time; owns them. They keep a connection open whose job has died or closed it: to
 * be closed before anything is undone, and before the job runs.
 */
public final class HeldSockets implements AutoCloseable {
    /** This process may have no more descriptors; what is beyond is looked for again. */
    private static final int MOST = 256;

    private static final int REPAIR = 1;

    /** TCP_REPAIR_OFF: with a window probe, which the peer answers. */
    private static final int PROBE = 0;

    private final List<Proc> processes;
    private final List<ForeignSocket> held = new ArrayList<>();
    private boolean all = true;

    private HeldSockets(List<Proc> processes) {
        this.processes = processes;
    }

    /** None. */
    public static HeldSockets none() {
        return new HeldSockets(List.of());
    }

    /** Those of some processes, each once. */
    public static HeldSockets of(List<Proc> processes) {
        HeldSockets found = new HeldSockets(processes);
        try {
            JobSockets.each(processes, found::keep);
        } catch (IOException e) {
            found.all = false;
        }
        return found;
    }

    private boolean keep(ForeignSocket socket) throws IOException {
        if (JobSockets.listens(socket)) {
            return false;
        }
        if (held.size() == MOST) {
            all = false;
            return false;
        }
        return held.add(socket);
    }

    /**
     * Says something in every connection, so that its peer answers at once: what criu let the
     * kernel say came too early, and its timers have backed off.
     *
     * @throws IOException if one could not be changed; the others are
     */
    public void probe() throws IOException {
        if (!all) {
            close();
            JobSockets.each(
                    processes,
                    socket -> {
                        if (!JobSockets.listens(socket)) {
                            probe(socket);
                        }
                        return false;
                    });
            return;
        }
        IOException failure = null;
        for (ForeignSocket each : held) {
            try {
                probe(each);
            } catch (IOException e) {
                failure = e;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    private static void probe(ForeignSocket socket) throws IOException {
        int reuse = socket.get(Option.REUSE_ADDRESS); // the mode overwrites it
        socket.set(Option.TCP_REPAIR, REPAIR);
        socket.set(Option.TCP_REPAIR, PROBE);
        socket.set(Option.REUSE_ADDRESS, reuse);
    }

    @Override
    public void close() {
        held.forEach(ForeignSocket::close);
        held.clear();
    }
}
