package io.migrator.linux;

import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** Opens sockets in other network namespaces. */
final class NamespaceSocket {
    private static final int SOCK_CLOEXEC = 02000000;
    private static final int CLONE_NEWNET = 0x40000000;

    private NamespaceSocket() {}

    /**
     * Opens one (socket(2)).
     *
     * @param process in whose network namespace
     * @return the descriptor, the caller's own
     */
    static long open(Proc process, int domain, int type, int protocol) throws IOException {
        // a thread of its own, which joins the namespace (setns(2)) and ends in it
        FutureTask<Long> task = new FutureTask<>(() -> openIn(process, domain, type, protocol));
        Thread.ofPlatform().start(task);
        try {
            return task.get();
        } catch (ExecutionException e) {
            throw new IOException(String.valueOf(e.getCause()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private static long openIn(Proc process, int domain, int type, int protocol)
            throws IOException {
        try (PidFd held = PidFd.open(process.pid())) {
            check(Syscalls.call(Syscalls.SETNS, held.descriptor(), CLONE_NEWNET), "setns");
        }
        long fd = Syscalls.call(Syscalls.SOCKET, domain, type | SOCK_CLOEXEC, protocol);
        check(fd, "socket");
        return fd;
    }

    private static void check(long result, String what) throws IOException {
        if (result < 0) {
            throw new IOException(what + ": " + Errno.text((int) -result));
        }
    }
}
