package io.migrator.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A process held by a pidfd (pidfd_open(2)): a signal sent through it can never reach another
 * process that got the same pid. Owns the descriptor; any thread.
 */
public final class PidFd implements AutoCloseable {
    /** Numbers of signal(7) on x86-64 and arm64. */
    public enum Signal {
        KILL(9),
        TERM(15),
        CONT(18),
        STOP(19);

        private final int number;

        Signal(int number) {
            this.number = number;
        }
    }

    private static final long MADV_COLLAPSE = 25;
    private static final long KCMP_VM = 1;

    private final long pid;
    private final long fd;

    private PidFd(long pid, long fd) {
        this.pid = pid;
        this.fd = fd;
    }

    /**
     * Takes hold of a process.
     *
     * @throws IOException if it is gone
     */
    public static PidFd open(long pid) throws IOException {
        long fd = Syscalls.call(Syscalls.PIDFD_OPEN, pid, 0);
        if (fd < 0) {
            throw new IOException("pidfd_open " + pid + ": " + Errno.text((int) -fd));
        }
        return new PidFd(pid, fd);
    }

    public long pid() {
        return pid;
    }

    long descriptor() {
        return fd;
    }

    /**
     * Sends a signal.
     *
     * @return false if the process is gone by now
     */
    public boolean send(Signal signal) throws IOException {
        return send(signal.number);
    }

    /** Returns true until its parent has taken notice of its end. */
    public boolean exists() throws IOException {
        return send(0);
    }

    private boolean send(int signal) throws IOException {
        long result = Syscalls.call(Syscalls.PIDFD_SEND_SIGNAL, fd, signal, 0, 0);
        if (result < 0 && result != -Errno.ESRCH) {
            throw new IOException(
                    "signal " + signal + " to " + pid + ": " + Errno.text((int) -result));
        }
        return result == 0;
    }

    /**
     * Whether it runs in another process's memory (kcmp(2)), as a child of vfork(2) does. Another
     * user's, which cannot be told, is not.
     */
    public boolean sharesMemoryWith(long other) {
        return Syscalls.call(Syscalls.KCMP, pid, other, KCMP_VM, 0, 0) == 0;
    }

    /**
     * Makes a range of its memory huge pages (madvise(2), MADV_COLLAPSE), as far as that can be
     * done, and this user may (CAP_SYS_NICE). It may run meanwhile.
     */
    public void collapse(long start, long end) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment range = arena.allocate(2L * Long.BYTES, Long.BYTES);
            range.setAtIndex(ValueLayout.JAVA_LONG, 0, start);
            range.setAtIndex(ValueLayout.JAVA_LONG, 1, end - start);
            Syscalls.call(Syscalls.PROCESS_MADVISE, fd, range.address(), 1, MADV_COLLAPSE, 0);
        }
    }

    @Override
    public void close() {
        Syscalls.call(Syscalls.CLOSE, fd);
    }
}
