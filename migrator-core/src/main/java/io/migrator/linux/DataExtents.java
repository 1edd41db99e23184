package io.migrator.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a file has data, and where holes (lseek(2), SEEK_DATA). Holds the file open; one thread.
 */
public final class DataExtents implements AutoCloseable {
    /**
     * A part with data.
     *
     * @param start first byte
     * @param end first byte behind
     */
    public record Extent(long start, long end) {}

    private static final long AT_FDCWD = -100;
    private static final long O_NONBLOCK_CLOEXEC = 02004000;
    private static final long SEEK_DATA = 3;
    private static final long SEEK_HOLE = 4;

    private final Path file;
    private final long descriptor;

    private DataExtents(Path file, long descriptor) {
        this.file = file;
        this.descriptor = descriptor;
    }

    /** Opens a file for it. */
    public static DataExtents of(Path file) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = arena.allocateFrom(file.toString());
            long opened =
                    Syscalls.call(Syscalls.OPENAT, AT_FDCWD, path.address(), O_NONBLOCK_CLOEXEC);
            if (opened == -Errno.ENOENT) {
                throw new NoSuchFileException(file.toString());
            }
            if (opened < 0) {
                throw new IOException(file + ": " + Errno.text((int) -opened));
            }
            return new DataExtents(file, opened);
        }
    }

    /** A path by which this very file can be used as long as this is open. */
    public Path file() {
        return Path.of("/proc/self/fd", Long.toString(descriptor));
    }

    /** Those parts as they are now. */
    public List<Extent> now() throws IOException {
        List<Extent> found = new ArrayList<>();
        long start = seek(0, SEEK_DATA);
        while (start >= 0) {
            long end = seek(start, SEEK_HOLE);
            if (end <= start) {
                return found; // it was truncated meanwhile
            }
            found.add(new Extent(start, end));
            start = seek(end, SEEK_DATA);
        }
        return found;
    }

    /** Bytes of all parts with data. */
    public long bytes() throws IOException {
        return now().stream().mapToLong(each -> each.end - each.start).sum();
    }

    private long seek(long from, long what) throws IOException {
        long result = Syscalls.call(Syscalls.LSEEK, descriptor, from, what);
        if (result < 0 && result != -Errno.ENXIO) {
            throw new IOException(file + ": " + Errno.text((int) -result));
        }
        return result;
    }

    @Override
    public void close() {
        Syscalls.call(Syscalls.CLOSE, descriptor);
    }
}
