package io.migrator.linux;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Where a file has data, and where holes (lseek(2), SEEK_DATA). */
public final class DataExtents {
    /**
     * A part with data.
     *
     * @param start first byte
     * @param end first byte behind
     */
    public record Extent(long start, long end) {}

    private static final long SEEK_DATA = 3;
    private static final long SEEK_HOLE = 4;

    private DataExtents() {}

    /** Those parts as they are now. */
    public static List<Extent> of(HeldFile file) throws IOException {
        List<Extent> found = new ArrayList<>();
        long start = seek(file, 0, SEEK_DATA);
        while (start >= 0) {
            long end = seek(file, start, SEEK_HOLE);
            if (end <= start) {
                return found; // it was cut meanwhile
            }
            found.add(new Extent(start, end));
            start = seek(file, end, SEEK_DATA);
        }
        return found;
    }

    /** Bytes of all parts with data. */
    public static long bytes(HeldFile file) throws IOException {
        return of(file).stream().mapToLong(each -> each.end - each.start).sum();
    }

    private static long seek(HeldFile file, long from, long what) throws IOException {
        long result = Syscalls.call(Syscalls.LSEEK, file.descriptor(), from, what);
        if (result < 0 && result != -Errno.ENXIO) {
            throw new IOException("lseek: " + Errno.text((int) -result));
        }
        return result;
    }
}
