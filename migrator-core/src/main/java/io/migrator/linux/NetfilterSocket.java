package io.migrator.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A way to the kernel's packet filters in one network namespace (netlink(7), NETLINK_NETFILTER).
 * Needs CAP_NET_ADMIN over it. One thread; owns the descriptor.
 */
public final class NetfilterSocket implements AutoCloseable {
    private static final int AF_NETLINK = 16;
    private static final int SOCK_RAW = 3;
    private static final int NETLINK_NETFILTER = 12;
    private static final int NLMSG_ERROR = 2;
    private static final int HEADER_BYTES = 16;
    private static final long ALIGNED = 4;
    private static final int ANSWER_MAX = 1 << 16;

    private long fd; // -1 once it is closed

    private NetfilterSocket(long fd) {
        this.fd = fd;
    }

    /**
     * Opens it.
     *
     * @param process in whose network namespace
     */
    public static NetfilterSocket open(Proc process) throws IOException {
        return new NetfilterSocket(
                NamespaceSocket.open(process, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER));
    }

    /**
     * Does all of a batch, or nothing of it.
     *
     * @param batch of messages, the last of which before its end asks for an acknowledgement
     * @param last its sequence number
     * @throws IOException if the kernel does not do it
     */
    public void commit(byte[] batch, int last) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocateFrom(ValueLayout.JAVA_BYTE, batch);
            check(Syscalls.call(Syscalls.SENDTO, fd, bytes.address(), batch.length, 0, 0, 0));
            MemorySegment answer = arena.allocate(ANSWER_MAX, Long.BYTES);
            boolean done = false;
            while (!done) { // errors come in the order of the messages
                long got = Syscalls.call(Syscalls.RECVFROM, fd, answer.address(), ANSWER_MAX, 0);
                check(got);
                done = isDone(answer.asSlice(0, got), last);
            }
        }
    }

    /** Returns true if the last message was acknowledged, and none before was refused. */
    private static boolean isDone(MemorySegment answer, int last) throws IOException {
        for (long at = 0; at + HEADER_BYTES + Integer.BYTES <= answer.byteSize(); ) {
            int length = answer.get(ValueLayout.JAVA_INT, at);
            if (length < HEADER_BYTES) {
                break;
            }
            if (answer.get(ValueLayout.JAVA_SHORT, at + 4) == NLMSG_ERROR) {
                check(answer.get(ValueLayout.JAVA_INT, at + HEADER_BYTES));
                if (answer.get(ValueLayout.JAVA_INT, at + 8) == last) {
                    return true;
                }
            }
            at += (length + ALIGNED - 1) / ALIGNED * ALIGNED;
        }
        return false;
    }

    private static void check(long result) throws IOException {
        if (result < 0) {
            throw new IOException("nf_tables: " + Errno.text((int) -result));
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
