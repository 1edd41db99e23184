package io.migrator.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Instant;

/** Sets times of files without opening them: what is opened may be a fifo (utimensat(2)). */
public final class FileTimes {
    private static final long AT_FDCWD = -100;
    private static final long AT_SYMLINK_NOFOLLOW = 0x100;
    private static final long UTIME_OMIT = (1L << 30) - 2;
    private static final long TIMESPEC_BYTES = 2L * Long.BYTES;

    private FileTimes() {}

    /**
     * Sets when it was written to last.
     *
     * @param follows whether that of what a symbolic link leads to
     */
    public static void modified(Path file, Instant time, boolean follows) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = arena.allocateFrom(file.toString());
            MemorySegment times = arena.allocate(2 * TIMESPEC_BYTES, Long.BYTES);
            times.set(ValueLayout.JAVA_LONG, Long.BYTES, UTIME_OMIT); // read last: as it is
            times.set(ValueLayout.JAVA_LONG, TIMESPEC_BYTES, time.getEpochSecond());
            times.set(ValueLayout.JAVA_LONG, TIMESPEC_BYTES + Long.BYTES, time.getNano());
            long result =
                    Syscalls.call(
                            Syscalls.UTIMENSAT,
                            AT_FDCWD,
                            path.address(),
                            times.address(),
                            follows ? 0 : AT_SYMLINK_NOFOLLOW);
            if (result < 0) {
                throw new IOException(file + ": utimensat: " + Errno.text((int) -result));
            }
        }
    }
}
