package io.migrator.network;

import io.migrator.linux.Proc;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

/**
 * A socket of a network namespace, as /proc/PID/net lists it (proc(5)).
 *
 * @param protocol tcp, udp or raw
 * @param local address; of an IPv4 connection of an IPv6 socket the IPv4 one
 * @param remote address, {@code 0.0.0.0} or all zeros if there is none
 * @param state of include/net/tcp_states.h
 * @param waiting bytes to be read; of a listener, connections to be accepted
 * @param link as /proc/PID/fd calls it, such as {@code socket:[1234]}; {@code socket:[0]} if no
 *     process has it
 */
public record InetSocket(
        String protocol,
        String local,
        int localPort,
        String remote,
        int remotePort,
        int state,
        long waiting,
        String link) {
    private static final int ESTABLISHED = 1;
    private static final int LISTEN = 10;
    private static final int SYN_RECV = 3;
    private static final int CLOSE = 7;

    /** FIN_WAIT1, LAST_ACK, CLOSING. */
    private static final Set<Integer> ENDING = Set.of(4, 9, 11);

    private static final String NOBODY = "socket:[0]";

    private static final List<String> TABLES = List.of("tcp", "tcp6", "udp", "udp6", "raw", "raw6");

    private static final int LOCAL = 1;
    private static final int REMOTE = 2;
    private static final int STATE = 3;
    private static final int QUEUES = 4;
    private static final int INODE = 9;
    private static final int HEX = 16;

    /**
     * All sockets of a network namespace.
     *
     * @param process that is in it
     */
    public static List<InetSocket> of(Proc process) throws IOException {
        return of(process, TABLES);
    }

    /** Those of TCP. */
    public static List<InetSocket> tcpOf(Proc process) throws IOException {
        return of(process, TABLES.subList(0, 2));
    }

    private static List<InetSocket> of(Proc process, List<String> tables) throws IOException {
        List<InetSocket> found = new ArrayList<>();
        for (String table : tables) {
            try {
                String text =
                        Files.readString(process.file("net/" + table), StandardCharsets.ISO_8859_1);
                text.lines().skip(1).forEach(line -> found.add(parse(table, line)));
            } catch (NoSuchFileException e) {
                // a kernel without IPv6
            }
        }
        return found;
    }

    static InetSocket parse(String table, String line) {
        String[] fields = line.strip().split("\\s+");
        String[] local = fields[LOCAL].split(":");
        String[] remote = fields[REMOTE].split(":");
        String queue = fields[QUEUES];
        return new InetSocket(
                table.replace("6", ""),
                address(local[0]),
                Integer.parseInt(local[1], HEX),
                address(remote[0]),
                Integer.parseInt(remote[1], HEX),
                Integer.parseInt(fields[STATE], HEX),
                Long.parseLong(queue.substring(queue.indexOf(':') + 1), HEX),
                "socket:[" + fields[INODE] + "]");
    }

    /** The kernel prints each four bytes as a number of this machine. */
    private static String address(String hex) {
        ByteBuffer in = ByteBuffer.wrap(HexFormat.of().parseHex(hex)).order(ByteOrder.BIG_ENDIAN);
        ByteBuffer out = ByteBuffer.allocate(in.remaining()).order(ByteOrder.nativeOrder());
        while (in.hasRemaining()) {
            out.putInt(in.getInt());
        }
        try {
            return InterfaceAddress.plain(InetAddress.getByAddress(out.array()));
        } catch (IOException e) {
            throw new IllegalStateException(hex, e);
        }
    }

    /** True for a TCP socket that only waits for connections. */
    public boolean listens() {
        return protocol.equals("tcp") && state == LISTEN;
    }

    /** True for a TCP socket that has a peer, or asks for one. */
    public boolean connects() {
        return protocol.equals("tcp") && state != LISTEN && state != CLOSE;
    }

    /** True for a connection that is being made from outside. */
    public boolean begins() {
        return protocol.equals("tcp") && state == SYN_RECV;
    }

    /** True if its program has closed it and the peer has not yet acknowledged all. */
    public boolean ends() {
        return link.equals(NOBODY) && ENDING.contains(state);
    }

    /** True if no process has it. */
    public boolean orphaned() {
        return link.equals(NOBODY);
    }

    /** True for the other end of a connection within one namespace. */
    public boolean isPeerOf(InetSocket other) {
        return protocol.equals(other.protocol)
                && local.equals(other.remote)
                && localPort == other.remotePort
                && remote.equals(other.local)
                && remotePort == other.localPort;
    }

    /** True for a listener by which another one, which nobody has accepted, came to be. */
    public boolean admits(InetSocket other) {
        return listens()
                && other.state == ESTABLISHED
                && localPort == other.localPort
                && (takesAny() || local.equals(other.local));
    }

    /** True if it takes a port for itself: a listener, or a UDP socket with no peer. */
    public boolean takesPort() {
        return listens() || protocol.equals("udp") && localPort != 0 && remotePort == 0;
    }

    /** True for an address of this node's own loopback. */
    public boolean loops() {
        return isLoopback(local);
    }

    static boolean isLoopback(String ip) {
        return ip.startsWith("127.") || ip.equals("0:0:0:0:0:0:0:1");
    }

    /** True if it is bound to no address in particular. */
    public boolean takesAny() {
        return isAny(local);
    }

    static boolean isAny(String ip) {
        return ip.equals("0.0.0.0") || ip.equals("0:0:0:0:0:0:0:0");
    }

    /** Whether two of one namespace cannot stand side by side on their port. */
    public boolean clashesWith(InetSocket other) {
        return takesPort()
                && other.takesPort()
                && protocol.equals(other.protocol)
                && localPort == other.localPort
                && (takesAny() || other.takesAny() || local.equals(other.local));
    }

    /** The same at another local address. */
    public InetSocket at(String ip) {
        return new InetSocket(protocol, ip, localPort, remote, remotePort, state, waiting, link);
    }

    @Override
    public String toString() {
        String here = local + " port " + localPort;
        return protocol
                + " "
                + here
                + (remotePort == 0 ? "" : " to " + remote + " port " + remotePort);
    }
}
