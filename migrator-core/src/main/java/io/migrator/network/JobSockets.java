package io.migrator.network;

import io.migrator.linux.ForeignSocket;
import io.migrator.linux.ForeignSocket.Option;
import io.migrator.linux.PidFd;
import io.migrator.linux.Proc;

import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The TCP sockets of a job that stands still, by duplicates of them. */
final class JobSockets {
    private static final int AF_INET = 2;
    private static final int AF_INET6 = 10;
    private static final int SOCK_STREAM = 1;
    private static final int IPPROTO_TCP = 6;
    private static final int TCP_LISTEN = 10;

    private static final String SOCKET = "socket:";

    /** Takes one. */
    @FunctionalInterface
    interface Visitor {
        /** Returns true if it keeps the duplicate, and closes it itself. */
        boolean see(ForeignSocket socket) throws IOException;
    }

    private final Visitor visitor;
    private final Set<String> seen = new HashSet<>(); // processes share sockets
    private IOException failure = new IOException();
    private boolean failed;

    private JobSockets(Visitor visitor) {
        this.visitor = visitor;
    }

    /**
     * Shows each once, one after the other: a job may have more than we may have descriptors.
     *
     * @throws IOException if one could not be seen; the others were
     */
    static void each(List<Proc> processes, Visitor visitor) throws IOException {
        JobSockets all = new JobSockets(visitor);
        for (Proc process : processes) {
            try (PidFd held = PidFd.open(process.pid())) {
                all.of(held, process.descriptors());
            } catch (IOException e) {
                if (process.alive()) {
                    all.fail(e);
                }
            }
        }
        if (all.failed) {
            throw all.failure;
        }
    }

    private void of(PidFd process, Map<Integer, String> descriptors) {
        for (Map.Entry<Integer, String> each : descriptors.entrySet()) {
            if (each.getValue().startsWith(SOCKET) && seen.add(each.getValue())) {
                show(process, each.getKey());
            }
        }
    }

    private void show(PidFd process, int descriptor) {
        ForeignSocket socket = null;
        boolean kept = false;
        try {
            socket = ForeignSocket.of(process, descriptor);
            kept = isTcp(socket) && visitor.see(socket);
        } catch (IOException e) {
            fail(e);
        } finally {
            if (socket != null && !kept) {
                socket.close();
            }
        }
    }

    private void fail(IOException e) {
        failure = e;
        failed = true;
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
}
