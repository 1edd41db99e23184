package io.migrator.memory;

import io.migrator.criu.MemoryMap;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The pages that criushim.c kept out of criu's dump: exactly these must travel beside the images.
 * They are read from the shim's file one after the other, since a large fragmented process has
 * millions of ranges. A range may be listed twice where criu asked twice.
 *
 * @param file in the images directory; missing if there is no such page
 */
public record HiddenPages(Path file) {
    /** Name of the file, in the directory of the images. */
    static final String FILE = "hidden";

    /** Of those the ones that come when the job runs already. */
    private static final String LATE = "late";

    /** And those that do not come, as a process has them of its parent. */
    private static final String INHERITED = "inherited";

    private static final int RECORD_BYTES = 24;
    private static final int BUFFER_BYTES = RECORD_BYTES << 12;
    private static final int PAGE_BYTES = 4096;

    private static final int REHEARSED = 8;
    private static final long REHEARSED_BYTES = 16L << 20;

    /** Takes one range. */
    @FunctionalInterface
    interface Visitor {
        /** Pages of a process, by its pid inside the instance, from start to before end. */
        void range(int pid, long start, long end) throws IOException;
    }

    /** The pages of a dump that is complete. */
    public static HiddenPages of(Path images) {
        return new HiddenPages(images.resolve(FILE));
    }

    /** Those that come when the job runs already; of all images, the target has this one last. */
    public static HiddenPages late(Path images) {
        return new HiddenPages(images.resolve(LATE));
    }

    /** Those that a process has of its parent. */
    public static HiddenPages inherited(Path images) {
        return new HiddenPages(images.resolve(INHERITED));
    }

    /** Writes a list that does not exist yet. */
    public void write(JobPages pages) throws IOException {
        ByteBuffer records = ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.nativeOrder());
        try (FileChannel out =
                FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (int pid : pages.pids()) {
                for (PageRange range : pages.of(pid).ranges()) {
                    records.putLong(pid).putLong(range.start()).putLong(range.end());
                    if (records.remaining() < RECORD_BYTES) {
                        flush(records, out);
                    }
                }
            }
            flush(records, out);
        }
    }

    private static void flush(ByteBuffer records, FileChannel out) throws IOException {
        records.flip();
        while (records.hasRemaining()) {
            out.write(records);
        }
        records.clear();
    }

    /**
     * Reads a list that is made for it: what a JVM does for the first time takes long.
     *
     * @param scratch directory without one
     */
    public static void rehearse(Path scratch) throws IOException {
        ByteBuffer records =
                ByteBuffer.allocate(REHEARSED * RECORD_BYTES).order(ByteOrder.nativeOrder());
        for (long each = 1; each <= REHEARSED; each++) {
            long start = each * REHEARSED_BYTES;
            records.putLong(1).putLong(start).putLong(start + REHEARSED_BYTES / 2);
        }
        HiddenPages list = of(scratch);
        Files.write(list.file, records.array());
        try {
            JobPages pages = list.all(Long.MAX_VALUE);
            pages.removeAll(list.all(Long.MAX_VALUE));
            pages.bytes();
        } finally {
            Files.delete(list.file);
        }
    }

    /** Gives each range to the visitor. */
    void forEach(Visitor visitor) throws IOException {
        if (!Files.exists(file)) {
            return;
        }
        ByteBuffer records = ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.nativeOrder());
        try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ)) {
            if (in.size() % RECORD_BYTES != 0) {
                throw new IOException(file + " is cut off");
            }
            while (in.read(records) >= 0 || records.position() > 0) {
                records.flip();
                while (records.remaining() >= RECORD_BYTES) {
                    visit(records, visitor);
                }
                records.compact();
            }
        }
    }

    private void visit(ByteBuffer records, Visitor visitor) throws IOException {
        long pid = records.getLong();
        long start = records.getLong();
        long end = records.getLong();
        if (pid <= 0
                || pid > Integer.MAX_VALUE
                || start < 0
                || start >= end
                || end > MemoryMap.ADDRESSES
                || start % PAGE_BYTES != 0
                || end % PAGE_BYTES != 0) {
            throw new IOException("%s holds %d %x-%x".formatted(file, pid, start, end));
        }
        visitor.range((int) pid, start, end);
    }

    /**
     * All of them, each once.
     *
     * @param mostBytes that the list may stand for, as it may come from another node
     */
    public JobPages all(long mostBytes) throws IOException {
        JobPages found = new JobPages();
        long[] left = {mostBytes};
        forEach((pid, start, end) -> {
            left[0] -= end - start;
            if (left[0] < 0) {
                throw new IOException(file + " lists more memory than there is");
            }
            found.add(pid, start, end);
        });
        return found;
    }
}
