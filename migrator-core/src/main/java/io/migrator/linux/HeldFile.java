package io.migrator.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * A file or directory held by a descriptor, which its name need not lead to any more. Owns the
 * descriptor; any thread.
 */
public final class HeldFile implements AutoCloseable {
    private static final long AT_FDCWD = -100;

    // open(2)
    private static final long READ_NONBLOCK_CLOEXEC = 02004000;
    private static final long NEW_READ_WRITE_CLOEXEC = 02000302;
    private static final long PATH_NOFOLLOW_CLOEXEC =
            012000000L | ("aarch64".equals(System.getProperty("os.arch")) ? 0100000 : 0400000);
    private static final long OWNER_ONLY = 0600;

    private final long descriptor;

    private HeldFile(long descriptor) {
        this.descriptor = descriptor;
    }

    /** Opens a file to read from it; a link is followed. */
    public static HeldFile open(Path file) throws IOException {
        return open(file, READ_NONBLOCK_CLOEXEC);
    }

    /** Holds what has this name, be it a link or a fifo, without opening it. */
    public static HeldFile hold(Path file) throws IOException {
        return open(file, PATH_NOFOLLOW_CLOEXEC);
    }

    /** Makes a file that nobody else may open; what has the name already is not touched. */
    public static HeldFile create(Path file) throws IOException {
        return open(file, NEW_READ_WRITE_CLOEXEC);
    }

    private static HeldFile open(Path file, long flags) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = arena.allocateFrom(file.toString());
            long opened =
                    Syscalls.call(Syscalls.OPENAT, AT_FDCWD, path.address(), flags, OWNER_ONLY);
            if (opened == -Errno.ENOENT) {
                throw new NoSuchFileException(file.toString());
            }
            if (opened == -Errno.EEXIST) {
                throw new FileAlreadyExistsException(file.toString());
            }
            if (opened < 0) {
                throw new IOException(file + ": " + Errno.text((int) -opened));
            }
            return new HeldFile(opened);
        }
    }

    long descriptor() {
        return descriptor;
    }

    /** A path by which this very file can be used as long as this is open. */
    public Path file() {
        return Path.of("/proc/self/fd", Long.toString(descriptor));
    }

    /** As the kernel tells it now. */
    public FileState state() throws IOException {
        return FileState.of(file());
    }

    @Override
    public void close() {
        Syscalls.call(Syscalls.CLOSE, descriptor);
    }
}
