package io.migrator.files;

import net.jpountz.xxhash.XXHash64;
import net.jpountz.xxhash.XXHashFactory;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * Which pages of a file are on the target as they are here, by hashes of 64 bits. What was never
 * sent is a hole there, and reads as zeros. One thread.
 */
final class SentPages {
    static final int PAGE = 4096;

    /** Pages are kept in blocks of so many. */
    static final int BLOCK_PAGES = 256;

    static final int BLOCK_BYTES = BLOCK_PAGES * PAGE;

    private static final XXHash64 HASH = hash();

    private final long seed = new SplittableRandom().nextLong();
    private final long zeros;

    /** By number of the block; the hash of a page of zeros counts as 0. */
    private final TreeMap<Long, long[]> sent = new TreeMap<>();

    SentPages() {
        ByteBuffer page = ByteBuffer.allocateDirect(PAGE);
        zeros = HASH.hash(page, 0, PAGE, seed);
    }

    /** The native library, and where it cannot be loaded plain Java. */
    private static XXHash64 hash() {
        try {
            return XXHashFactory.nativeInstance().hash64();
        } catch (LinkageError | UnsupportedOperationException _) {
            return XXHashFactory.safeInstance().hash64();
        }
    }

    /**
     * Whether a page is to be sent; it counts as sent from now on.
     *
     * @param number of the page
     * @param bytes in which it lies, direct
     * @param from where in them
     * @param length of the page, less than a whole one at the end of the file
     */
    boolean isNews(long number, ByteBuffer bytes, int from, int length) {
        long hash = HASH.hash(bytes, from, length, seed);
        if (length < PAGE) {
            hash = ~hash; // of whole pages only it is known how zeros look
        } else if (hash == zeros) {
            hash = 0;
        }
        long[] block = sent.get(number / BLOCK_PAGES);
        int index = (int) (number % BLOCK_PAGES);
        if (hash == (block == null ? 0 : block[index])) {
            return false;
        }
        if (block == null) {
            block = new long[BLOCK_PAGES];
            sent.put(number / BLOCK_PAGES, block);
        }
        block[index] = hash;
        return true;
    }

    /**
     * Blocks of a part of the file of which something was sent.
     *
     * @param start first byte of the part
     * @param end first byte behind it
     * @return where they begin, bytes
     */
    List<Long> blocks(long start, long end) {
        List<Long> found = new ArrayList<>();
        long last = (end - 1) / BLOCK_BYTES;
        sent.subMap(start / BLOCK_BYTES, true, Math.max(last, start / BLOCK_BYTES), true)
                .keySet()
                .forEach(block -> found.add(block * BLOCK_BYTES));
        return found;
    }

    /** The file is shorter now: what was behind is gone on the target, too. */
    void cut(long bytes) {
        long endPage = (bytes + PAGE - 1) / PAGE;
        sent.tailMap(endPage / BLOCK_PAGES, false).clear();
        long[] last = sent.get(endPage / BLOCK_PAGES);
        for (int i = (int) (endPage % BLOCK_PAGES); last != null && i < BLOCK_PAGES; i++) {
            last[i] = 0;
        }
    }
}
