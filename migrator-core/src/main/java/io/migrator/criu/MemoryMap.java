package io.migrator.criu;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The mappings of a process as its images have them (criu's images/mm.proto and vma.proto).
 *
 * @param areas in the order of the image, that of addresses but for guards, which come last
 */
public record MemoryMap(List<Area> areas) {
    private static final Pattern NAME = Pattern.compile("mm-([0-9]{1,9})\\.img");
    private static final int REHEARSED = 40;
    private static final int MM_VMAS = 14;
    private static final int VMA_START = 1;
    private static final int VMA_END = 2;
    private static final int VMA_PROT = 5;
    private static final int VMA_FLAGS = 6;
    private static final int VMA_STATUS = 7;
    private static final int VMA_ADVICE = 9;

    private static final long REGULAR = 1;
    private static final long FILE_PRIVATE = 1 << 6;
    private static final long ANON_PRIVATE = 1 << 9;
    private static final long AIO_RING = 1 << 13;
    private static final long SHADOW_STACK = 1 << 15;
    private static final long PLUGIN = 1 << 27;

    private static final long READ_WRITE = 3;
    private static final long PRIVATE_ANONYMOUS = 0x22;
    private static final long LOCKED = 0x2000;
    private static final long NO_RESERVE = 0x4000;
    private static final long HUGE_TLB = 0x40000;
    private static final long WIPE_ON_FORK = 1 << 18;

    /** No processor has more of them. */
    public static final long ADDRESSES = 1L << 56;

    private static final long PAGE_BYTES = 4096;

    /**
     * One mapping, up to before its end.
     *
     * @param protection and
     * @param flags as for mmap(2)
     * @param status criu's own bits (criu/include/image.h)
     * @param advice a bit for each that was given, as for madvise(2)
     */
    public record Area(
            long start, long end, long protection, long flags, long status, long advice) {
        /** One of which no advice was given. */
        public Area(long start, long end, long protection, long flags, long status) {
            this(start, end, protection, flags, status, 0);
        }

        /** One that can be read and written, of which nothing else is to be said. */
        public static Area plain(long start, long end) {
            return new Area(start, end, READ_WRITE, PRIVATE_ANONYMOUS, REGULAR | ANON_PRIVATE);
        }

        /**
         * Whether a restore that has parent images maps it elsewhere first (criu/mem.c); with
         * nothing below one that grows down, as the kernel has shown all of it since 4.12.
         */
        public boolean isPremapped() {
            long kind = FILE_PRIVATE | ANON_PRIVATE;
            boolean isPrivate =
                    (status & REGULAR) != 0 && (status & kind) != 0
                            || (status & (AIO_RING | SHADOW_STACK)) != 0;
            return isPrivate && (flags & HUGE_TLB) == 0 && (status & PLUGIN) == 0;
        }

        /** Whether it is memory of the process's own that can be read and written. */
        public boolean isOwnMemory() {
            return isPremapped()
                    && (status & ANON_PRIVATE) != 0
                    && (status & (AIO_RING | SHADOW_STACK)) == 0
                    && protection == READ_WRITE;
        }

        /**
         * Whether its pages may come after it is there (criu/include/vma.h). Where a fork wipes it
         * the child would get them, too.
         */
        public boolean canBeLate() {
            return isOwnMemory()
                    && (flags & PRIVATE_ANONYMOUS) == PRIVATE_ANONYMOUS
                    && (flags & LOCKED) == 0
                    && (advice & WIPE_ON_FORK) == 0;
        }

        /**
         * Whether a part of such a mapping of a process's parent can take its place, where that has
         * the same flags.
         */
        public boolean isInheritable() {
            return isOwnMemory() && (flags & ~NO_RESERVE) == PRIVATE_ANONYMOUS;
        }

        /** Whether another mapping of such memory can take its place, as nothing is special. */
        public boolean isPlain() {
            return isOwnMemory() && flags == PRIVATE_ANONYMOUS;
        }
    }

    /**
     * The image that has those of one process.
     *
     * @param pid inside the instance
     */
    public static Path imageOf(Path images, int pid) {
        return images.resolve("mm-" + pid + ".img");
    }

    /** Those of all processes, by their pids inside the instance. */
    public static Map<Integer, MemoryMap> all(Path images) throws IOException {
        Map<Integer, MemoryMap> found = new HashMap<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(images, "mm-*.img")) {
            for (Path each : files) {
                Matcher name = NAME.matcher(String.valueOf(each.getFileName()));
                if (name.matches()) {
                    found.put(Integer.parseInt(name.group(1)), read(each));
                }
            }
        }
        return found;
    }

    /**
     * Reads an image that is made for it: what a JVM does for the first time takes long.
     *
     * @param scratch directory without such images
     */
    public static void rehearse(Path scratch) throws IOException {
        ProtoMessage vma =
                ProtoMessage.empty().with(VMA_START, 0).with(VMA_END, 0).with(VMA_STATUS, 0);
        ProtoMessage all = ProtoMessage.empty();
        for (int each = 0; each < REHEARSED; each++) {
            all = all.with(MM_VMAS, vma);
        }
        Path image = imageOf(scratch, 1);
        new ImageFile(0, List.of(all)).write(image);
        all(scratch);
        Files.delete(image);
    }

    /**
     * Reads the image of one process, perhaps from another node.
     *
     * @throws IOException if it is none, or mappings of its own memory lie nowhere or over others
     */
    public static MemoryMap read(Path image) throws IOException {
        List<Area> areas = new ArrayList<>();
        long before = 0;
        for (ProtoMessage entry : ImageFile.read(image).entries()) {
            for (ProtoMessage vma : entry.messages(MM_VMAS)) {
                areas.add(
                        new Area(
                                vma.number(VMA_START).orElse(0),
                                vma.number(VMA_END).orElse(0),
                                vma.number(VMA_PROT).orElse(0),
                                vma.number(VMA_FLAGS).orElse(0),
                                vma.number(VMA_STATUS).orElse(0),
                                vma.number(VMA_ADVICE).orElse(0)));
                before = orNowhere(areas.getLast(), before);
            }
        }
        return new MemoryMap(List.copyOf(areas));
    }

    private static long orNowhere(Area area, long before) throws IOException {
        if (!area.isOwnMemory()) {
            return before;
        }
        boolean isPages = area.start % PAGE_BYTES == 0 && area.end % PAGE_BYTES == 0;
        if (area.start < before || area.start >= area.end || area.end > ADDRESSES || !isPages) {
            throw new IOException("a mapping from %x to %x".formatted(area.start, area.end));
        }
        return area.end;
    }

    /** Returns true if an address lies in one of them. */
    public boolean holds(long address) {
        return areas.stream()
                .anyMatch(area ->
                        Long.compareUnsigned(area.start, address) <= 0
                                && Long.compareUnsigned(address, area.end) < 0);
    }
}
