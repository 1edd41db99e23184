package io.migrator.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The writing end of a FIFO (fifo(7)) whose reader may not be there yet, or end: to open it does
 * not wait for one, and to write without one fails. One thread.
 */
public final class FifoWriter implements AutoCloseable {
    private static final long AT_FDCWD = -100;
    private static final long WRITE_ONLY = 1;
    private static final long NONBLOCK = 0x800;
    private static final long CLOEXEC = 0x80000;
    private static final long SET_FLAGS = 4;
    private static final long SET_PIPE_SIZE = 1031;

    /** What any user may ask for (pipe(7), pipe-max-size); less does, too. */
    private static final long PIPE_BYTES = 1 << 20;

    private final long fd;

    private FifoWriter(long fd) {
        this.fd = fd;
    }

    /**
     * Opens it.
     *
     * @return empty if nobody reads
     */
    public static Optional<FifoWriter> open(Path path) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            long name = arena.allocateFrom(path.toString()).address();
            long flags = WRITE_ONLY | NONBLOCK | CLOEXEC;
            long fd = Syscalls.call(Syscalls.OPENAT, AT_FDCWD, name, flags);
            if (fd == -Errno.ENXIO) {
                return Optional.empty();
            }
            if (fd < 0) {
                throw new IOException(path + ": " + Errno.text((int) -fd));
            }
            Syscalls.call(Syscalls.FCNTL, fd, SET_FLAGS, 0);
            Syscalls.call(Syscalls.FCNTL, fd, SET_PIPE_SIZE, PIPE_BYTES);
            return Optional.of(new FifoWriter(fd));
        }
    }

    /**
     * Writes a direct buffer from position to limit, which are left as they were.
     *
     * @throws IOException if the reader is gone
     */
    public void write(ByteBuffer from) throws IOException {
        long ours = MemorySegment.ofBuffer(from).address();
        long length = from.remaining();
        long done = 0;
        while (done < length) {
            long wrote = Syscalls.call(Syscalls.WRITE, fd, ours + done, length - done);
            if (wrote < 0 && wrote != -Errno.EINTR) {
                throw new IOException("write: " + Errno.text((int) -wrote));
            }
            done += Math.max(0, wrote);
        }
    }

    @Override
    public void close() {
        Syscalls.call(Syscalls.CLOSE, fd);
    }
}
