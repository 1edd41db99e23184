package io.migrator.network;

import io.migrator.linux.ForeignSocket;
import io.migrator.linux.ForeignSocket.Option;
import io.migrator.linux.Proc;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * TCP_REPAIR (tcp(7)) on the connections of a stopped job. In that mode every send and receive of
 * the program fails, and closing the socket sends nothing. Three moments need it:
 *
 * <ul>
 *   <li>{@link #off} before a job runs on whose criu has died: criushim keeps each connection in
 *       repair mode only while criu reads it, but that is where criu may have died;
 *   <li>{@link #on} before the frozen source is killed, its job running elsewhere: else the kernel
 *       says goodbye to the peers in the job's name, as soon as nothing drops its packets;
 *   <li>{@link HeldSockets#probe} when the restored job's packets are dropped no more.
 * </ul>
 *
 * All may be called again and again, whether criu lives or not. They need CAP_NET_ADMIN over the
 * network namespace and the right to trace the processes.
 */
public final class RepairMode {
    private static final int ON = 1;

    /** TCP_REPAIR_OFF_NO_WP: without a window probe, which the network lock would drop. */
    private static final int OFF = -1;

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
                    if (JobSockets.listens(socket) || socket.get(Option.TCP_REPAIR) != 0) {
                        return false; // a listener cannot be repaired and says nothing
                    }
                    socket.set(Option.TCP_REPAIR, ON);
                    return true;
                });
    }

    private static int change(List<Proc> processes, Change change) throws IOException {
        AtomicInteger changed = new AtomicInteger();
        JobSockets.each(
                processes,
                socket -> {
                    if (change.apply(socket)) {
                        changed.incrementAndGet();
                    }
                    return false;
                });
        return changed.get();
    }
}
