package io.migrator.memory;

import io.migrator.linux.PageScan;
import io.migrator.linux.PageScan.Kind;
import io.migrator.linux.Proc;
import io.migrator.linux.ProcessMemory;

import net.jpountz.xxhash.XXHash64;
import net.jpountz.xxhash.XXHashFactory;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * Reads all pages each time and compares them with what was sent, by hashes of 64 bits. Sees every
 * write, also a device's that a thread waits for, and leaves the process alone; but each look, also
 * that at the freeze, costs 0.2 to 0.3 s for a GB (facts: memory.md, section 6).
 */
final class HashCompare implements WriteTracker {
    private static final int PAGE = PageSet.PAGE_BYTES;
    private static final int BLOCK_PAGES = 64;
    private static final long UNKNOWN = 0;
    private static final XXHash64 HASH = hash();

    private final Proc process;
    private final long seed = new SplittableRandom().nextLong();
    private final ByteBuffer bytes;

    /** Of what was sent, a block of pages each; {@link #UNKNOWN} of what was not. */
    private final Map<Long, long[]> sent = new HashMap<>();

    /**
     * Begins; nothing is done to the process.
     *
     * @param bytes direct; read into at each call, and nobody's afterwards
     */
    HashCompare(Proc process, ByteBuffer bytes) {
        this.process = process;
        this.bytes = bytes;
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
    public void begin() {
        // there is nothing to be taken in
    }

    @Override
    public PageSet written(PageRange within, PageSet known) throws IOException {
        PageSet same = new PageSet();
        PageSet present = compare(within, same);
        PageSet others = new PageSet();
        others.addAll(known, within);
        others.removeAll(same);
        known.removeAll(others);
        return present.without(same);
    }

    @Override
    public boolean isQuick() {
        return false;
    }

    @Override
    public Optional<PageSet> foreseen() {
        return Optional.empty();
    }

    @Override
    public void freeze() {
        // it is only read
    }

    @Override
    public void thaw() {
        // nothing was changed
    }

    @Override
    public PageSet keepUnwritten(PageSet known) throws IOException {
        return written(PageRange.ALL, known); // which changes nothing
    }

    /**
     * Looks at all pages that there are, but of these addresses only.
     *
     * @param same gets those that are as they were sent
     * @return all
     */
    private PageSet compare(PageRange within, PageSet same) throws IOException {
        PageSet present = new PageSet();
        try (PageScan scan = PageScan.of(process)) { // of what it executes now
            for (PageRange area : PrivateAreas.of(process)) {
                PageRange part = area.within(within);
                if (part.bytes() > 0) {
                    scan.<IOException>scan(part.start(), part.end(), Kind.PRESENT, present::add);
                }
            }
        }
        try (ProcessMemory memory = new ProcessMemory()) {
            for (PageRange range : present.ranges()) {
                for (long at = range.start(); at < range.end(); at += bytes.capacity()) {
                    compare(memory, at, Math.min(at + bytes.capacity(), range.end()), same);
                }
            }
        }
        return present;
    }

    private void compare(ProcessMemory memory, long start, long end, PageSet same) {
        try {
            List<long[]> range = List.of(new long[] {start, end - start});
            memory.read(process.pid(), range, bytes.clear().limit((int) (end - start)));
        } catch (IOException e) {
            // some of it is gone, or guards others: that counts as written
            for (long at = start; end - start > PAGE && at < end; at += PAGE) {
                compare(memory, at, at + PAGE, same);
            }
            return;
        }
        for (long at = start; at < end; at += PAGE) {
            long[] block = sent.get(block(at));
            long before = block == null ? UNKNOWN : block[page(at)];
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
                long[] block = sent.computeIfAbsent(block(at), _ -> new long[BLOCK_PAGES]);
                block[page(at)] = hash(pages, from);
            }
        }
    }

    private long hash(ByteBuffer pages, int from) {
        long found = HASH.hash(pages, from, PAGE, seed);
        return found == UNKNOWN ? ~UNKNOWN : found;
    }

    private static long block(long address) {
        return address / PAGE / BLOCK_PAGES;
    }

    private static int page(long address) {
        return (int) (address / PAGE % BLOCK_PAGES);
    }

    /** A read that a thread waits for is over when all threads stand still. */
    @Override
    public void orBlind() throws IOException {
        String by = DeviceWrites.unawaited(process).orElse("");
        if (!by.isEmpty()) {
            throw new IOException("what is written through " + by + " may come later");
        }
    }

    @Override
    public void close() {
        sent.clear();
    }

    @Override
    public void mend() {
        // it was only read
    }
}
