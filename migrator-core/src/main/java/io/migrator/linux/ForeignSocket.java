package io.migrator.linux;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/**
 * A duplicate of a descriptor of another process (pidfd_getfd(2)), for options of sockets
 * (getsockopt(2), socket(7), tcp(7)). Needs the right to trace that process (ptrace(2)). Owns the
 * duplicate; any thread.
 */
public final class ForeignSocket implements AutoCloseable {
    /** Options whose value is an int. */
    public enum Option {
        TYPE(1, 3),
        PROTOCOL(1, 38),
        DOMAIN(1, 39),
        REUSE_ADDRESS(1, 2),

        /** Bytes of memory that what was received and not read takes (SO_MEMINFO). */
        UNREAD_BYTES(1, 55),
        UDP_CORK(17, 1),
        TCP_DEFER_ACCEPT(6, 9),
        TCP_INFO(6, 11),
        TCP_USER_TIMEOUT(6, 18),
        TCP_REPAIR(6, 19);

        private final int level;
        private final int number;

        Option(int level, int number) {
            this.level = level;
            this.number = number;
        }
    }

    private static final int F_GETOWN = 9;
    private static final int FIONREAD = 0x541b;
    private static final int SOL_SOCKET = 1;
    private static final int SO_BINDTODEVICE = 25;
    private static final int DEVICE_MAX = 16;
    private static final int IPPROTO_IP = 0;
    private static final int IPPROTO_IPV6 = 41;
    private static final int AF_INET = 2;
    private static final int AF_INET6 = 10;
    private static final int MCAST_MSFILTER = 48;

    /** Without sources: index, a struct sockaddr_storage aligned to 8, two numbers. */
    private static final int GROUP_FILTER_BYTES = 144;

    /** A struct sockaddr_storage. */
    private static final int NAME_MAX = 128;

    private static final int FOUR_BYTES = 4;
    private static final int SIX_BYTES = 16;
    private static final int FAMILY_AT = 8;
    private static final int FOUR_AT = 4;
    private static final int SIX_AT = 8;

    private final long fd;

    private ForeignSocket(long fd) {
        this.fd = fd;
    }

    /**
     * Duplicates a descriptor.
     *
     * @throws IOException if the process or the descriptor is gone
     */
    public static ForeignSocket of(PidFd process, int descriptor) throws IOException {
        long fd = Syscalls.call(Syscalls.PIDFD_GETFD, process.descriptor(), descriptor, 0);
        check(fd, "pidfd_getfd " + descriptor + " of " + process.pid());
        return new ForeignSocket(fd);
    }

    /** The value of an option; of a longer one, its first four bytes. */
    public int get(Option option) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(ValueLayout.JAVA_INT);
            MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, Integer.BYTES);
            long result =
                    Syscalls.call(
                            Syscalls.GETSOCKOPT,
                            fd,
                            option.level,
                            option.number,
                            value.address(),
                            length.address());
            check(result, "getsockopt " + option);
            return value.get(ValueLayout.JAVA_INT, 0);
        }
    }

    /** Whether anything waits to be read (FIONREAD, udp(7)); not seen of an empty datagram. */
    public boolean hasMore() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(ValueLayout.JAVA_INT);
            check(Syscalls.call(Syscalls.IOCTL, fd, FIONREAD, bytes.address()), "FIONREAD");
            return bytes.get(ValueLayout.JAVA_INT, 0) > 0;
        }
    }

    /** Whether a process is sent a signal when there is something to do (fcntl(2)). */
    public boolean hasOwner() {
        return Syscalls.call(Syscalls.FCNTL, fd, F_GETOWN) > 0;
    }

    /** Its own address and port; null if it has none. */
    public @Nullable InetSocketAddress local() throws IOException {
        return name(Syscalls.GETSOCKNAME);
    }

    /** Those of its peer; null if it has none. */
    public @Nullable InetSocketAddress peer() throws IOException {
        return name(Syscalls.GETPEERNAME);
    }

    private @Nullable InetSocketAddress name(long call) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocate(NAME_MAX, Long.BYTES);
            MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, NAME_MAX);
            if (Syscalls.call(call, fd, name.address(), length.address()) < 0) {
                return null;
            }
            int family = name.get(ValueLayout.JAVA_SHORT, 0);
            if (family != AF_INET && family != AF_INET6) {
                return null;
            }
            // struct sockaddr_in, sockaddr_in6: the port is at 2, big endian
            int high = name.get(ValueLayout.JAVA_BYTE, 2) & 0xff;
            int low = name.get(ValueLayout.JAVA_BYTE, 3) & 0xff;
            byte[] ip = new byte[family == AF_INET ? FOUR_BYTES : SIX_BYTES];
            int at = family == AF_INET ? FOUR_AT : SIX_AT;
            MemorySegment.copy(name, ValueLayout.JAVA_BYTE, at, ip, 0, ip.length);
            return new InetSocketAddress(InetAddress.getByAddress(ip), high << Byte.SIZE | low);
        }
    }

    /** The interface it is bound to (SO_BINDTODEVICE); empty if to none. */
    public String device() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(DEVICE_MAX);
            MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, DEVICE_MAX);
            long result =
                    Syscalls.call(
                            Syscalls.GETSOCKOPT,
                            fd,
                            SOL_SOCKET,
                            SO_BINDTODEVICE,
                            value.address(),
                            length.address());
            check(result, "getsockopt SO_BINDTODEVICE");
            return length.get(ValueLayout.JAVA_INT, 0) == 0 ? "" : value.getString(0);
        }
    }

    /**
     * Whether it is a member of a multicast group (MCAST_MSFILTER; linux/in.h, struct
     * group_filter).
     *
     * @param device index of the interface
     * @param group address of four or sixteen bytes
     */
    public boolean isMember(int device, byte[] group) {
        boolean six = group.length > Integer.BYTES;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment filter = arena.allocate(GROUP_FILTER_BYTES, Long.BYTES);
            filter.set(ValueLayout.JAVA_INT, 0, device);
            filter.set(ValueLayout.JAVA_SHORT, FAMILY_AT, (short) (six ? AF_INET6 : AF_INET));
            int at = FAMILY_AT + (six ? SIX_AT : FOUR_AT);
            MemorySegment.copy(group, 0, filter, ValueLayout.JAVA_BYTE, at, group.length);
            MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, GROUP_FILTER_BYTES);
            return Syscalls.call(
                            Syscalls.GETSOCKOPT,
                            fd,
                            six ? IPPROTO_IPV6 : IPPROTO_IP,
                            MCAST_MSFILTER,
                            filter.address(),
                            length.address())
                    >= 0;
        }
    }

    /** Sets an option. */
    public void set(Option option, int value) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment at = arena.allocateFrom(ValueLayout.JAVA_INT, value);
            long result =
                    Syscalls.call(
                            Syscalls.SETSOCKOPT,
                            fd,
                            option.level,
                            option.number,
                            at.address(),
                            Integer.BYTES);
            check(result, "setsockopt " + option + "=" + value);
        }
    }

    private static void check(long result, String what) throws IOException {
        if (result < 0) {
            throw new IOException(what + ": " + Errno.text((int) -result));
        }
    }

    @Override
    public void close() {
        Syscalls.call(Syscalls.CLOSE, fd);
    }
}
