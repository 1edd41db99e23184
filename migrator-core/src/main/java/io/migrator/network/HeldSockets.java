package io.migrator.network;

import io.migrator.linux.ForeignSocket;
import io.migrator.linux.ForeignSocket.Option;
import io.migrator.linux.PidFd;
import io.migrator.linux.Proc;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Duplicates of the TCP sockets of a job that stands still. One thread at a time; owns them. They
 * keep a connection open whose job has died: to be closed before anything is undone.
 */
public final class HeldSockets implements AutoCloseable {
    private static final int AF_INET = 2;
    private static final int AF_INET6 = 10;
    private static final int SOCK_STREAM = 1;
    private static final int IPPROTO_TCP = 6;
    private static final int TCP_LISTEN = 10;

    private static final int REPAIR = 1;

    /** TCP_REPAIR_OFF: with a window probe, which the peer answers. */
    private static final int PROBE = 0;

    private static final String SOCKET = "socket:";

    private final List<ForeignSocket> all = new ArrayList<>();
    private @Nullable IOException failure;

    private HeldSockets() {}

    /** None. */
    public static HeldSockets none() {
        return new HeldSockets();
    }

    /** Those of some processes, each once. */
    public static HeldSockets of(List<Proc> processes) {
        HeldSockets found = new HeldSockets();
        Set<String> seen = new HashSet<>(); // processes share sockets
        for (Proc process : processes) {
            try (PidFd held = PidFd.open(process.pid())) {
                found.add(held, process.descriptors(), seen);
            } catch (IOException e) {
                if (process.alive()) {
                    found.failure = e;
                }
            }
        }
        return found;
    }

    private void add(PidFd process, Map<Integer, String> descriptors, Set<String> seen) {
        for (Map.Entry<Integer, String> each : descriptors.entrySet()) {
            if (!each.getValue().startsWith(SOCKET) || !seen.add(each.getValue())) {
                continue;
            }
            try {
                ForeignSocket socket = ForeignSocket.of(process, each.getKey());
                if (isTcp(socket)) {
                    all.add(socket);
                } else {
                    socket.close();
                }
            } catch (IOException e) {
                failure = e;
            }
        }
    }

    private static boolean isTcp(ForeignSocket socket) throws IOException {
        int domain = socket.get(Option.DOMAIN);
        return (domain == AF_INET || domain == AF_INET6)
                && socket.get(Option.TYPE) == SOCK_STREAM
                && socket.get(Option.PROTOCOL) == IPPROTO_TCP;
    }

    static boolean listens(ForeignSocket socket) throws IOException {
        return (socket.get(Option.TCP_INFO) & 0xff) == TCP_LISTEN;
    }

    List<ForeignSocket> all() {
        return all;
    }

    /** Why one is missing; null if none is. */
    @Nullable IOException failure() {
        return failure;
    }

    /**
     * Says something in every connection, so that its peer answers at once: what criu let the
     * kernel say came too early, and its timers have backed off.
     *
     * @throws IOException if one could not be changed; the others are
     */
    public void probe() throws IOException {
        for (ForeignSocket socket : all) {
            try {
                if (!listens(socket)) {
                    int reuse = socket.get(Option.REUSE_ADDRESS); // the mode overwrites it
                    socket.set(Option.TCP_REPAIR, REPAIR);
                    socket.set(Option.TCP_REPAIR, PROBE);
                    socket.set(Option.REUSE_ADDRESS, reuse);
                }
            } catch (IOException e) {
                failure = e;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    @Override
    public void close() {
        all.forEach(ForeignSocket::close);
        all.clear();
    }
}
