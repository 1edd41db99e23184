package io.migrator.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/**
 * The file system that a file lies on (statfs(2)).
 *
 * @param type its magic number
 * @param id as the file system tells it (f_fsid), hexadecimal; nodes that have mounted one see the
 *     same, but some file systems always say 0
 * @param freeBytes room for an ordinary user
 */
public record FileSystem(long type, String id, long freeBytes) {
    private static final long TMPFS = 0x01021994;
    private static final long OVERLAY = 0x794c7630;

    /** Layout of struct statfs on 64-bit machines, asm-generic/statfs.h; bytes. */
    private static final long SIZE = 120;

    private static final long BLOCK_SIZE = 8;
    private static final long AVAILABLE = 32;
    private static final long ID = 56;

    /** Asks for that of an existing file. */
    public static FileSystem of(Path file) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = arena.allocateFrom(file.toString());
            MemorySegment answer = arena.allocate(SIZE, Long.BYTES);
            long result = Syscalls.call(Syscalls.STATFS, path.address(), answer.address());
            if (result < 0) {
                throw new IOException("statfs " + file + ": " + Errno.text((int) -result));
            }
            return new FileSystem(
                    answer.get(ValueLayout.JAVA_LONG, 0),
                    "%x".formatted(answer.get(ValueLayout.JAVA_LONG, ID)),
                    answer.get(ValueLayout.JAVA_LONG, AVAILABLE)
                            * answer.get(ValueLayout.JAVA_LONG, BLOCK_SIZE));
        }
    }

    /**
     * Whether it is one in memory, in which a write through a mapping changes no time of a file.
     */
    public boolean isSilent() {
        return type == TMPFS || type == OVERLAY;
    }
}
