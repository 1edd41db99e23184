package io.migrator.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * A file with holes (pwrite(2), fallocate(2)), on a file system that allows any offset, such as
 * tmpfs. Owns the descriptor; any thread.
 */
public final class SparseFile implements AutoCloseable {
    private static final long AT_FDCWD = -100;
    private static final long READ_WRITE = 2;
    private static final long CREATE_NEW = 0x40 | 0x80;
    private static final long CLOEXEC = 0x80000;
    private static final long OWNER_ONLY = 0x180;
    private static final long PUNCH_HOLE = 2;
    private static final long KEEP_SIZE = 1;

    private final long fd;

    private SparseFile(long fd) {
        this.fd = fd;
    }

    /** Makes a new one, open to its owner only. */
    public static SparseFile create(Path path) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocateFrom(path.toString());
            long flags = READ_WRITE | CREATE_NEW | CLOEXEC;
            long fd = Syscalls.call(Syscalls.OPENAT, AT_FDCWD, name.address(), flags, OWNER_ONLY);
            return new SparseFile(checked(fd, path.toString()));
        }
    }

    /**
     * Writes a direct buffer from position to limit, which are left as they were.
     *
     * @throws IOException if there is no room
     */
    public void write(ByteBuffer from, long offset) throws IOException {
        transfer("pwrite", Syscalls.PWRITE64, from, offset);
    }

    /**
     * Fills a direct buffer from position to limit, which are left as they were.
     *
     * @throws IOException also if the file is shorter
     */
    public void read(ByteBuffer to, long offset) throws IOException {
        transfer("pread", Syscalls.PREAD64, to, offset);
    }

    private void transfer(String name, long call, ByteBuffer buffer, long offset)
            throws IOException {
        long ours = MemorySegment.ofBuffer(buffer).address();
        long length = buffer.remaining();
        long done = 0;
        while (done < length) {
            long moved = Syscalls.call(call, fd, ours + done, length - done, offset + done);
            if (moved == 0) {
                throw new IOException(name + ": nothing moved");
            }
            done += moved == -Errno.EINTR ? 0 : checked(moved, name);
        }
    }

    /** Gives the memory of a range back; it reads as zeros afterwards. */
    public void punch(long offset, long length) throws IOException {
        checked(
                Syscalls.call(Syscalls.FALLOCATE, fd, PUNCH_HOLE | KEEP_SIZE, offset, length),
                "fallocate");
    }

    private static long checked(long result, String what) throws IOException {
        if (result < 0) {
            throw new IOException(what + ": " + Errno.text((int) -result));
        }
        return result;
    }

    @Override
    public void close() {
        Syscalls.call(Syscalls.CLOSE, fd);
    }
}
