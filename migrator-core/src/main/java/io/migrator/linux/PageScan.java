package io.migrator.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Which pages of another process there are, and which were written (PAGEMAP_SCAN, Linux 6.7, kernel
 * doc admin-guide/mm/pagemap). Pages that hold nothing but the kernel's zeros do not exist here.
 * Needs the right to read the process's memory. Owns a descriptor and a buffer; one thread.
 */
public final class PageScan implements AutoCloseable {
    /** What is asked for. */
    public enum Kind {
        /** Pages that exist. */
        PRESENT(IS_ZERO, 0, EXISTS, 0),
        /** Pages that exist and are parts of huge ones. */
        HUGE(IS_ZERO, IS_HUGE, EXISTS, 0),
        /**
         * Pages that exist and were written since they were reset; see {@link WriteWatch}. Fails
         * where any of the range is not watched.
         */
        WRITTEN(IS_ZERO, IS_WRITTEN, EXISTS, CHECK_WPASYNC),
        /** The same, and they are reset in one step. */
        WRITTEN_AND_RESET(IS_ZERO, IS_WRITTEN, EXISTS, CHECK_WPASYNC | WP_MATCHING),
        /**
         * All of {@link #WRITTEN}, and some that do not exist: asked for just this the kernel has a
         * loop that takes half the time (fs/proc/task_mmu.c, pagemap_scan_pmd_entry).
         */
        UNPROTECTED(0, IS_WRITTEN, 0, CHECK_WPASYNC);

        private final long unwanted;
        private final long wanted;
        private final long any;
        private final long flags;

        Kind(long unwanted, long wanted, long any, long flags) {
            this.unwanted = unwanted;
            this.wanted = wanted;
            this.any = any;
            this.flags = flags;
        }
    }

    /** Takes pages. */
    @FunctionalInterface
    public interface Visitor<E extends Exception> {
        /** From the first byte of the first to the first behind the last. */
        void pages(long start, long end) throws IOException, E;
    }

    private static final long SCAN = 0xc0606610L;
    private static final long WP_MATCHING = 1;
    private static final long CHECK_WPASYNC = 2;
    private static final long IS_WRITTEN = 1 << 1;
    private static final long IS_PRESENT = 1 << 3;
    private static final long IS_SWAPPED = 1 << 4;
    private static final long IS_ZERO = 1 << 5;
    private static final long IS_HUGE = 1 << 6;

    /** Without it ranges never touched would get page tables. */
    private static final long EXISTS = IS_PRESENT | IS_SWAPPED;

    private static final long AT_FDCWD = -100;
    private static final long READ_CLOEXEC = 0x80000;

    /** struct page_region: start, end, categories. */
    private static final int REGION_WORDS = 3;

    private static final int REGIONS = 8192;

    /**
     * So much at once, which takes some milliseconds: meanwhile the process can map nothing, and
     * who of it waits to do so keeps its page faults waiting.
     */
    private static final long MOST_BYTES = 64L << 20;

    /** struct pm_scan_arg. */
    private static final int ARGUMENT_WORDS = 12;

    private final long fd;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment argument = arena.allocate(ARGUMENT_WORDS * 8L, 8);
    private final MemorySegment regions = arena.allocate(REGIONS * REGION_WORDS * 8L, 8);

    private PageScan(long fd) {
        this.fd = fd;
    }

    /** Of a process; it is the process's memory of now, and not of what it may exec later. */
    public static PageScan of(Proc process) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = arena.allocateFrom(process.file("pagemap").toString());
            long fd = Syscalls.call(Syscalls.OPENAT, AT_FDCWD, path.address(), READ_CLOEXEC, 0);
            if (fd < 0) {
                throw new IOException("pagemap of " + process.pid() + ": " + Errno.text((int) -fd));
            }
            return new PageScan(fd);
        }
    }

    /**
     * Tells of the pages of a range, in order. Neighbours may come as several.
     *
     * @throws IOException if the range cannot be scanned so, such as one that is not watched
     */
    public <E extends Exception> void scan(long start, long end, Kind kind, Visitor<E> visitor)
            throws IOException, E {
        long at = start;
        while (at < end) {
            long told = at; // of more than 512 regions walk_end is where the 512th ended
            long found = ask(at, pieceEnd(at, end), kind);
            for (long each = 0; each < found; each++) {
                long region = each * REGION_WORDS;
                told = regions.getAtIndex(JAVA_LONG, region + 1);
                visitor.pages(regions.getAtIndex(JAVA_LONG, region), told);
            }
            at = Math.max(argument.getAtIndex(JAVA_LONG, 4), told);
        }
    }

    /**
     * Where the piece from an address on ends: at a multiple of its size, so that huge pages stay.
     */
    public static long pieceEnd(long at, long end) {
        return Math.min(end, (at | (MOST_BYTES - 1)) + 1);
    }

    private long ask(long start, long end, Kind kind) throws IOException {
        long[] words = {
            argument.byteSize(),
            kind.flags,
            start,
            end,
            0,
            regions.address(),
            REGIONS,
            0,
            kind.unwanted,
            kind.unwanted | kind.wanted,
            kind.any,
            kind.any == 0 ? kind.wanted : IS_PRESENT,
        };
        for (int i = 0; i < words.length; i++) {
            argument.setAtIndex(JAVA_LONG, i, words[i]);
        }
        long found = Syscalls.call(Syscalls.IOCTL, fd, SCAN, argument.address());
        if (found < 0) {
            throw new IOException(
                    "PAGEMAP_SCAN of %x-%x: %s".formatted(start, end, Errno.text((int) -found)));
        }
        return found;
    }

    @Override
    public void close() {
        Syscalls.call(Syscalls.CLOSE, fd);
        arena.close();
    }
}
