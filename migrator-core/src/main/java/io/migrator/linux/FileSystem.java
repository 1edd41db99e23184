package io.migrator.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Set;

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
    private static final long PROC = 0x9fa0;

    /** ext4, xfs, btrfs, nfs (linux/magic.h). */
    private static final Set<Long> KEEPS_TIMES = Set.of(0xef53L, 0x58465342L, 0x9123683eL, 0x6969L);

    /**
     * NFS, Lustre, GPFS, Ceph, BeeGFS, SMB, and what a program serves (linux/magic.h, and the file
     * systems' own sources): what is written there others see when it is written back.
     */
    private static final Set<Long> REMOTE =
            Set.of(
                    0x6969L,
                    0x0BD00BD0L,
                    0x47504653L,
                    0x00C36400L,
                    0x19830326L,
                    0xFE534D42L,
                    0xFF534D42L,
                    0x65735546L);

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

    /** Whether a write through a mapping is seen by the times of a file, where it is known. */
    public boolean keepsTimes() {
        return KEEPS_TIMES.contains(type);
    }

    /** Whether other nodes may see its files later than this one. */
    public boolean isRemote() {
        return REMOTE.contains(type & 0xFFFFFFFFL);
    }

    /** Whether it is the kernel's own, proc(5). */
    public boolean isProc() {
        return type == PROC;
    }

    /** Whether it is one in memory, or one that may be put together from such. */
    public boolean isLayer() {
        return type == TMPFS || type == OVERLAY;
    }
}
