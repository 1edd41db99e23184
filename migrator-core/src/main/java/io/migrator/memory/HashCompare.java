package io.migrator.memory;

import io.migrator.linux.PageScan;
import io.migrator.linux.PageScan.Kind;
import io.migrator.linux.Proc;
import io.migrator.linux.ProcessMemory;

import net.jpountz.xxhash.XXHash64;
import net.jpountz.xxhash.XXHashFactory;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * Reads all pages each time and compares them with what was sent, by hashes of 64 bits with a seed
 * that nobody knows. Sees every write, a device's too, and leaves the process alone; but each look,
 * also that at the freeze, costs 0.2 to 0.3 s for a GB (facts: memory.md, section 6).
 */
final class HashCompare implements WriteTracker {
    /** The hashes of so much take a third of the heap that a migration has. */
    private static final long MOST_BYTES = 32L << 30;

    private static final int PAGE = PageSet.PAGE_BYTES;
    private static final int BLOCK_PAGES = 512;
    private static final int READ_BYTES = 1 << 20;
    private static final long UNKNOWN = 0;
    private static final XXHash64 HASH = hash();

    private final Proc process;
    private final long seed = new SplittableRandom().nextLong();
    private final ByteBuffer bytes = ByteBuffer.allocateDirect(READ_BYTES);

    /** Of what was sent, a block of pages each; {@link #UNKNOWN} of what was not. */
    private final TreeMap<Long, long[]> sent = new TreeMap<>();

    private HashCompare(Proc process) {
        this.process = process;
    }

    /**
     * Begins; nothing is done to the process.
     *
     * @param residentBytes of the process
     * @throws IOException if it has too much memory for it
     */
    static HashCompare of(long residentBytes, Proc process) throws IOException {
        if (residentBytes > MOST_BYTES) {
            throw new IOException(
                    "hashes can be kept of %d GB of memory, not of %d"
                            .formatted(MOST_BYTES >> 30, residentBytes >> 30));
        }
        return new HashCompare(process);
    }

    /** The native library, and where it cannot be loaded plain Java. */
    private static XXHash64 hash() {
        try {
            return XXHashFactory.nativeInstance().hash64();
        } catch (LinkageError | UnsupportedOperationException _) {
            return XXHashFactory.safeInstance().hash64();
        }
    }

    @Override
    public PageSet written(PageSet known) throws IOException {
        PageSet same = new PageSet();
        PageSet present = compare(same);
        known.retainAll(same);
        return present.without(same);
    }

    @Override
    public void keepUnwritten(PageSet known) throws IOException {
        PageSet same = new PageSet();
        compare(same);
        known.retainAll(same);
    }

    /**
     * Looks at all pages that there are.
     *
     * @param same gets those that are as they were sent
     * @return all
     */
    private PageSet compare(PageSet same) throws IOException {
        PageSet present = new PageSet();
        try (PageScan scan = PageScan.of(process)) { // of what it executes now
            for (PageRange area : PrivateAreas.of(process)) {
                scan.<IOException>scan(area.start(), area.end(), Kind.PRESENT, present::add);
            }
        }
        try (ProcessMemory memory = new ProcessMemory()) {
            for (PageRange range : present.ranges()) {
                for (long at = range.start(); at < range.end(); at += READ_BYTES) {
                    compare(memory, at, Math.min(at + READ_BYTES, range.end()), same);
                }
            }
        }
        return present;
    }

    private void compare(ProcessMemory memory, long start, long end, PageSet same) {
        try {
            memory.read(process.pid(), start, bytes.clear().limit((int) (end - start)));
        } catch (IOException e) {
            return; // some of it is gone: it counts as written
        }
        for (long at = start; at < end; at += PAGE) {
            long before = block(at)[page(at)];
            if (before != UNKNOWN && before == hash(bytes, (int) (at - start))) {
                same.add(at, at + PAGE);
            }
        }
    }

    @Override
    public void sent(List<PageRange> places, ByteBuffer pages) {
        int from = 0;
        for (PageRange each : places) {
            for (long at = each.start(); at < each.end(); at += PAGE, from += PAGE) {
                block(at)[page(at)] = hash(pages, from);
            }
        }
    }

    private long hash(ByteBuffer pages, int from) {
        long found = HASH.hash(pages, from, PAGE, seed);
        return found == UNKNOWN ? ~UNKNOWN : found;
    }

    private long[] block(long address) {
        return sent.computeIfAbsent(address / PAGE / BLOCK_PAGES, _ -> new long[BLOCK_PAGES]);
    }

    private static int page(long address) {
        return (int) (address / PAGE % BLOCK_PAGES);
    }

    @Override
    public void close() {
        sent.clear();
    }
}
