package io.migrator.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A socket that sends frames of one protocol through one network interface, whose link header the
 * kernel makes (packet(7), SOCK_DGRAM). Needs CAP_NET_RAW over the network namespace. Any thread;
 * owns the descriptor.
 */
public final class PacketSocket implements AutoCloseable {
    private static final int AF_PACKET = 17;
    private static final int SOCK_DGRAM = 2;
    private static final int ADDRESS_MAX = 32;

    private final int device;
    private long fd; // -1 once it is closed

    private PacketSocket(int device, long fd) {
        this.device = device;
        this.fd = fd;
    }

    /**
     * Opens it; it hears nothing.
     *
     * @param process in whose network namespace
     * @param device index of the interface there
     */
    public static PacketSocket open(Proc process, int device) throws IOException {
        return new PacketSocket(device, NamespaceSocket.open(process, AF_PACKET, SOCK_DGRAM, 0));
    }

    /**
     * Sends one packet.
     *
     * @param protocol of linux/if_ether.h
     * @param to hardware address of the receiver
     */
    public void send(int protocol, byte[] to, byte[] packet) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            // struct sockaddr_ll: family, protocol (big endian), index, type, packet type, length
            MemorySegment address = arena.allocate(12 + ADDRESS_MAX, Integer.BYTES);
            address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_PACKET);
            address.set(ValueLayout.JAVA_BYTE, 2, (byte) (protocol >> 8));
            address.set(ValueLayout.JAVA_BYTE, 3, (byte) protocol);
            address.set(ValueLayout.JAVA_INT, 4, device);
            address.set(ValueLayout.JAVA_BYTE, 11, (byte) to.length);
            MemorySegment.copy(to, 0, address, ValueLayout.JAVA_BYTE, 12, to.length);
            MemorySegment bytes = arena.allocateFrom(ValueLayout.JAVA_BYTE, packet);
            long length = Math.max(20, 12 + to.length);
            check(
                    Syscalls.call(
                            Syscalls.SENDTO,
                            fd,
                            bytes.address(),
                            packet.length,
                            0,
                            address.address(),
                            length),
                    "sendto");
        }
    }

    private static void check(long result, String what) throws IOException {
        if (result < 0) {
            throw new IOException(what + ": " + Errno.text((int) -result));
        }
    }

    @Override
    public void close() {
        if (fd >= 0) {
            Syscalls.call(Syscalls.CLOSE, fd);
            fd = -1;
        }
    }
}
