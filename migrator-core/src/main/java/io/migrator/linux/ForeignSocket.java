package io.migrator.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

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
        TCP_INFO(6, 11),
        TCP_REPAIR(6, 19);

        private final int level;
        private final int number;

        Option(int level, int number) {
            this.level = level;
            this.number = number;
        }
    }

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
