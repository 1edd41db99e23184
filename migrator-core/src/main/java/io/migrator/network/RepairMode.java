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

/**
 * TCP_REPAIR (tcp(7)) on the connections of a stopped job. In that mode every send and receive of
 * the program fails, and closing the socket sends nothing. Three moments need it:
 *
 * <ul>
 *   <li>{@link #off} before a job runs on whose criu has died: criushim keeps each connection in
 *       repair mode only while criu reads it, but that is where criu may have died;
 *   <li>{@link #on} before the frozen source is killed, its job running elsewhere: else the kernel
 *       says goodbye to the peers in the job's name, as soon as nothing drops its packets;
 *   <li>{@link #probe} when the restored job's packets are dropped no more.
 * </ul>
 *
 * All may be called again and again, whether criu lives or not. They need CAP_NET_ADMIN over the
 * network namespace and the right to trace the processes.
 */
public final class RepairMode {
    private static final int AF_INET = 2;
    private static final int AF_INET6 = 10;
    private static final int SOCK_STREAM = 1;
    private static final int IPPROTO_TCP = 6;
    private static final int TCP_LISTEN = 10;

    private static final int ON = 1;

    /** TCP_REPAIR_OFF: with a window probe, which the peer answers. */
    private static final int PROBE = 0;

    /** TCP_REPAIR_OFF_NO_WP: without a window probe, which the network lock would drop. */
    private static final int OFF = -1;

    private static final String SOCKET = "socket:";

    /** What is done with each TCP socket. */
    private interface Change {
        /** Returns true if it changed something. */
        boolean apply(ForeignSocket socket) throws IOException;
    }

    private RepairMode() {}

    /**
     * Ends repair mode wherever it is on. SO_REUSEADDR is set on those sockets: what it was is lost
     * (the kernel overwrites it with the mode), and without it a server that had it could not be
     * started again while a connection lasts.
     *
     * @return how many sockets were in it
     * @throws IOException if one could not be changed; the others are
     */
    public static int off(List<Proc> processes) throws IOException {
        return change(
                processes,
                socket -> {
                    if (socket.get(Option.TCP_REPAIR) == 0) {
                        return false;
                    }
                    socket.set(Option.TCP_REPAIR, OFF);
                    socket.set(Option.REUSE_ADDRESS, 1);
                    return true;
                });
    }

    /**
     * Puts every connection into repair mode: killed now, it ends in silence.
     *
     * @return how many sockets were not in it
     * @throws IOException if one could not be changed; the others are
     */
    public static int on(List<Proc> processes) throws IOException {
        return change(
                processes,
                socket -> {
                    boolean listens = (socket.get(Option.TCP_INFO) & 0xff) == TCP_LISTEN;
                    if (listens || socket.get(Option.TCP_REPAIR) != 0) {
                        return false; // a listener cannot be repaired and says nothing
                    }
                    socket.set(Option.TCP_REPAIR, ON);
                    return true;
                });
    }

    /**
     * Says something in every connection, so that its peer answers at once: what criu let the
     * kernel say came too early, and its timers have backed off.
     *
     * @return how many sockets there were
     * @throws IOException if one could not be changed; the others are
     */
    public static int probe(List<Proc> processes) throws IOException {
        return change(
                processes,
                socket -> {
                    if ((socket.get(Option.TCP_INFO) & 0xff) == TCP_LISTEN) {
                        return false;
                    }
                    int reuse = socket.get(Option.REUSE_ADDRESS); // the mode overwrites it
                    socket.set(Option.TCP_REPAIR, ON);
                    socket.set(Option.TCP_REPAIR, PROBE);
                    socket.set(Option.REUSE_ADDRESS, reuse);
                    return true;
                });
    }

    private static int change(List<Proc> processes, Change change) throws IOException {
        int changed = 0;
        IOException failure = null;
        Set<String> seen = new HashSet<>(); // processes share sockets
        for (Proc process : processes) {
            try (PidFd held = PidFd.open(process.pid())) {
                changed += change(held, process.descriptors(), seen, change);
            } catch (IOException e) {
                if (process.alive()) {
                    failure = e;
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
        return changed;
    }

    private static int change(
            PidFd process, Map<Integer, String> descriptors, Set<String> seen, Change change)
            throws IOException {
        int changed = 0;
        IOException failure = null;
        for (Map.Entry<Integer, String> each : descriptors.entrySet()) {
            if (!each.getValue().startsWith(SOCKET) || !seen.add(each.getValue())) {
                continue;
            }
            try (ForeignSocket socket = ForeignSocket.of(process, each.getKey())) {
                changed += isTcp(socket) && change.apply(socket) ? 1 : 0;
            } catch (IOException e) {
                failure = e;
            }
        }
        if (failure != null) {
            throw failure;
        }
        return changed;
    }

    private static boolean isTcp(ForeignSocket socket) throws IOException {
        int domain = socket.get(Option.DOMAIN);
        return (domain == AF_INET || domain == AF_INET6)
                && socket.get(Option.TYPE) == SOCK_STREAM
                && socket.get(Option.PROTOCOL) == IPPROTO_TCP;
    }
}
