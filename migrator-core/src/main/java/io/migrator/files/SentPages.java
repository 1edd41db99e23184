package io.migrator.files;

import net.jpountz.xxhash.XXHash64;
import net.jpountz.xxhash.XXHashFactory;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Which pages of a file are on the target as they are here, by hashes of 64 bits. What was never
 * sent is a hole there, and reads as zeros. One thread.
 */
final class SentPages {
    static final int PAGE = 4096;
    private static final XXHash64 HASH = hash();
    private static final int LEAST = 256;

    private final long seed = new SplittableRandom().nextLong();
    private final long zeros;

    /** By number of the page; that of a page of zeros is 0. */
    private long[] sent = new long[LEAST];

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
     * @param block in which it lies, direct
     * @param from where in it
     * @param length of the page, less than a whole one at the end of the file
     */
    boolean isNews(long number, ByteBuffer block, int from, int length) {
        long hash = HASH.hash(block, from, length, seed);
        if (length < PAGE) {
            hash = ~hash; // of whole pages only it is known how zeros look
        } else if (hash == zeros) {
            hash = 0;
        }
        int index = Math.toIntExact(number);
        if (index >= sent.length) {
            if (hash == 0) {
                return false;
            }
            sent = Arrays.copyOf(sent, Math.max(index + 1, sent.length * 2));
        }
        if (sent[index] == hash) {
            return false;
        }
        sent[index] = hash;
        return true;
    }

    /** Whether anything was sent of a part of the file. */
    boolean anyOf(long firstPage, long endPage) {
        long end = Math.min(endPage, sent.length);
        for (int i = Math.toIntExact(Math.min(firstPage, end)); i < end; i++) {
            if (sent[i] != 0) {
                return true;
            }
        }
        return false;
    }

    /** The file is shorter now: what was behind is gone on the target, too. */
    void cut(long endPage) {
        if (endPage < sent.length) {
            Arrays.fill(sent, Math.toIntExact(endPage), sent.length, 0);
        }
    }
}
