package io.migrator.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A unix stream socket on which one peer sends numbers and descriptors (unix(7), SCM_RIGHTS). Only
 * this user can connect. Owns its descriptors, and the file until the peer is there; any thread,
 * and {@link #close} ends what another one waits for.
 */
public final class DescriptorSocket implements AutoCloseable {
    private static final int AF_UNIX = 1;
    private static final int SOCK_STREAM = 1;
    private static final int CLOEXEC = 02000000; // SOCK_CLOEXEC
    private static final int SHUT_RDWR = 2;
    private static final int MSG_CTRUNC = 8;
    private static final int MSG_WAITALL = 0x100;
    private static final int MSG_CMSG_CLOEXEC = 0x40000000;
    private static final int SOL_SOCKET = 1;
    private static final int SCM_RIGHTS = 1;

    /** struct sockaddr_un: the family, then the path, which ends with a zero. */
    private static final int NAME_BYTES = 110;

    private static final int PATH_AT = 2;

    /** struct msghdr: name, its length, vector, its length, control, its length, flags. */
    private static final int MESSAGE_BYTES = 56;

    private static final int VECTOR_AT = 16;
    private static final int VECTORS_AT = 24;
    private static final int CONTROL_AT = 32;
    private static final int CONTROL_BYTES_AT = 40;
    private static final int FLAGS_AT = 48;

    /** struct cmsghdr with one descriptor: length, level, type, descriptor. */
    private static final int CONTROL_BYTES = 20;

    private static final int LEVEL_AT = 8;
    private static final int TYPE_AT = 12;
    private static final int DESCRIPTOR_AT = 16;

    private static final int NONE = -1;

    private final Path path;

    /** Held by who waits: what he waits on is not closed under him. */
    private final ReentrantLock use = new ReentrantLock();

    private volatile int listener;
    private volatile int peer = NONE;
    private volatile boolean closed;

    private DescriptorSocket(int listener, Path path) {
        this.listener = listener;
        this.path = path;
    }

    /**
     * Lets a peer connect.
     *
     * @param path of at most 107 bytes, where nothing is yet
     */
    public static DescriptorSocket listen(Path path) throws IOException {
        Path absolute = path.toAbsolutePath();
        byte[] name = absolute.toString().getBytes(StandardCharsets.UTF_8);
        if (name.length >= NAME_BYTES - PATH_AT) {
            throw new IOException("too long for a socket: " + absolute);
        }
        long fd = Syscalls.call(Syscalls.SOCKET, AF_UNIX, SOCK_STREAM | CLOEXEC, 0);
        check(fd, "socket");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(NAME_BYTES, Long.BYTES);
            address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
            MemorySegment.copy(name, 0, address, ValueLayout.JAVA_BYTE, PATH_AT, name.length);
            long result = Syscalls.call(Syscalls.BIND, fd, address.address(), NAME_BYTES);
            check(result, "bind " + absolute);
            // nobody can connect before it listens
            Files.setPosixFilePermissions(absolute, PosixFilePermissions.fromString("rw-------"));
            check(Syscalls.call(Syscalls.LISTEN, fd, 1), "listen");
            return new DescriptorSocket((int) fd, absolute);
        } catch (IOException e) {
            Syscalls.call(Syscalls.CLOSE, fd);
            throw e;
        }
    }

    /**
     * Waits for the peer; another one is not let in then.
     *
     * @param millis at most; for ever if negative
     * @return false if none came, or it is closed
     */
    public boolean accept(int millis) throws IOException {
        use.lock();
        try {
            if (closed || !Poll.await(new int[] {listener}, millis) || closed) {
                return false;
            }
            long fd = Syscalls.call(Syscalls.ACCEPT4, listener, 0, 0, CLOEXEC);
            check(fd, "accept");
            peer = (int) fd;
            stopListening();
            return true;
        } finally {
            use.unlock();
        }
    }

    private void stopListening() throws IOException {
        if (listener != NONE) {
            Syscalls.call(Syscalls.CLOSE, listener);
            listener = NONE;
            Files.deleteIfExists(path);
        }
    }

    /** Waits for a number; empty at the end of what the peer sends, or if it is closed. */
    public Optional<Integer> number() throws IOException {
        use.lock();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment number = arena.allocate(ValueLayout.JAVA_INT);
            int got = 0;
            while (got < Integer.BYTES && !closed) {
                long result =
                        Syscalls.call(
                                Syscalls.RECVFROM,
                                peer,
                                number.address() + got,
                                Integer.BYTES - got,
                                MSG_WAITALL);
                if (result == 0) {
                    break;
                }
                if (result != -Errno.EINTR) {
                    check(result, "recv");
                    got += (int) result;
                }
            }
            if (got == 0 || closed) {
                return Optional.empty();
            }
            if (got < Integer.BYTES) {
                throw new IOException("half a number came");
            }
            return Optional.of(number.get(ValueLayout.JAVA_INT, 0));
        } finally {
            use.unlock();
        }
    }

    /**
     * Waits for a descriptor, which comes with one byte and closes on exec.
     *
     * @return the caller's own
     * @throws IOException if something else comes, or the end
     */
    public int descriptor() throws IOException {
        use.lock();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment control = arena.allocate(CONTROL_BYTES, Long.BYTES);
            MemorySegment message = message(arena, control);
            long got;
            do {
                if (closed) {
                    throw new IOException("the socket is closed");
                }
                got = Syscalls.call(Syscalls.RECVMSG, peer, message.address(), MSG_CMSG_CLOEXEC);
            } while (got == -Errno.EINTR);
            check(got, "recvmsg");
            if (message.get(ValueLayout.JAVA_LONG, CONTROL_BYTES_AT) < CONTROL_BYTES
                    || control.get(ValueLayout.JAVA_INT, LEVEL_AT) != SOL_SOCKET
                    || control.get(ValueLayout.JAVA_INT, TYPE_AT) != SCM_RIGHTS) {
                throw new IOException(
                        got == 0 ? "no descriptor came" : "no descriptor came with it");
            }
            int descriptor = control.get(ValueLayout.JAVA_INT, DESCRIPTOR_AT);
            if ((message.get(ValueLayout.JAVA_INT, FLAGS_AT) & MSG_CTRUNC) != 0) {
                Syscalls.call(Syscalls.CLOSE, descriptor);
                throw new IOException("more than one descriptor came");
            }
            return descriptor;
        } finally {
            use.unlock();
        }
    }

    private static MemorySegment message(Arena arena, MemorySegment control) {
        MemorySegment vector = arena.allocate(2L * Long.BYTES, Long.BYTES);
        vector.setAtIndex(ValueLayout.JAVA_LONG, 0, arena.allocate(1).address());
        vector.setAtIndex(ValueLayout.JAVA_LONG, 1, 1);
        MemorySegment message = arena.allocate(MESSAGE_BYTES, Long.BYTES);
        message.set(ValueLayout.JAVA_LONG, VECTOR_AT, vector.address());
        message.set(ValueLayout.JAVA_LONG, VECTORS_AT, 1);
        message.set(ValueLayout.JAVA_LONG, CONTROL_AT, control.address());
        message.set(ValueLayout.JAVA_LONG, CONTROL_BYTES_AT, CONTROL_BYTES);
        return message;
    }

    private static void check(long result, String what) throws IOException {
        if (result < 0) {
            throw new IOException(what + ": " + Errno.text((int) -result));
        }
    }

    @Override
    public void close() throws IOException {
        closed = true;
        // whoever waits sees an end; the numbers stay ours until he has gone
        Syscalls.call(Syscalls.SHUTDOWN, listener, SHUT_RDWR);
        Syscalls.call(Syscalls.SHUTDOWN, peer, SHUT_RDWR);
        use.lock();
        try {
            stopListening();
            if (peer != NONE) {
                Syscalls.call(Syscalls.CLOSE, peer);
                peer = NONE;
            }
        } finally {
            use.unlock();
        }
    }
}
