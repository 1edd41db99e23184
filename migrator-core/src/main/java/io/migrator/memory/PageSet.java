package io.migrator.memory;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A set of pages of one address space: a bit for each, in blocks of 2 MB, so that it costs 1/32768
 * of what it stands for. All ranges go from the first byte of a page to before another's. One
 * thread.
 */
final class PageSet {
    static final int PAGE_BYTES = 4096;

    private static final int PAGE_SHIFT = 12;
    private static final int WORD_SHIFT = 6;
    private static final int BLOCK_SHIFT = 9;
    private static final int BLOCK_PAGES = 1 << BLOCK_SHIFT;
    private static final int WORDS = BLOCK_PAGES >> WORD_SHIFT;

    private final TreeMap<Long, long[]> blocks = new TreeMap<>();

    private interface Words {
        void change(long block, int word, long bits);
    }

    /** Adds a range. */
    void add(long start, long end) {
        each(
                start,
                end,
                (block, word, bits) ->
                        blocks.computeIfAbsent(block, _ -> new long[WORDS])[word] |= bits);
    }

    /** Takes a range out. */
    void remove(long start, long end) {
        each(
                start,
                end,
                (block, word, bits) -> {
                    long[] found = blocks.get(block);
                    if (found != null) {
                        found[word] &= ~bits;
                    }
                });
    }

    /** Adds what another has. */
    void addAll(PageSet other) {
        other.blocks.forEach((block, theirs) -> {
            long[] ours = blocks.computeIfAbsent(block, _ -> new long[WORDS]);
            for (int word = 0; word < WORDS; word++) {
                ours[word] |= theirs[word];
            }
        });
    }

    /** Adds what another has of a range. */
    void addAll(PageSet other, PageRange range) {
        long blockBytes = (long) BLOCK_PAGES << PAGE_SHIFT;
        long first = range.start() / blockBytes;
        long last = (range.end() - 1) / blockBytes;
        other.blocks
                .subMap(first, true, last, true)
                .keySet()
                .forEach(block -> {
                    PageSet part = new PageSet();
                    part.add(
                            Math.max(range.start(), block * blockBytes),
                            Math.min(range.end(), (block + 1) * blockBytes));
                    part.retainAll(other);
                    addAll(part);
                });
    }

    /** Takes out what another has. */
    void removeAll(PageSet other) {
        for (Map.Entry<Long, long[]> theirs : other.blocks.entrySet()) {
            long[] ours = blocks.get(theirs.getKey());
            for (int word = 0; ours != null && word < WORDS; word++) {
                ours[word] &= ~theirs.getValue()[word];
            }
        }
    }

    /** Keeps only what another has, too. */
    void retainAll(PageSet other) {
        for (Map.Entry<Long, long[]> ours : blocks.entrySet()) {
            long[] theirs = other.blocks.get(ours.getKey());
            for (int word = 0; word < WORDS; word++) {
                ours.getValue()[word] &= theirs == null ? 0 : theirs[word];
            }
        }
    }

    private static void each(long start, long end, Words words) {
        long page = start >>> PAGE_SHIFT;
        long behind = end >>> PAGE_SHIFT;
        while (page < behind) {
            int bit = (int) (page & (Long.SIZE - 1));
            long count = Math.min(Long.SIZE - bit, behind - page);
            long bits = (count == Long.SIZE ? -1L : (1L << count) - 1) << bit;
            words.change(page >>> BLOCK_SHIFT, (int) (page >>> WORD_SHIFT & (WORDS - 1)), bits);
            page += count;
        }
    }

    /** The longest ranges of it, in order of addresses. */
    List<PageRange> ranges() {
        List<PageRange> found = new ArrayList<>();
        long start = 0;
        long end = 0;
        for (Map.Entry<Long, long[]> block : blocks.entrySet()) {
            long first = block.getKey() << BLOCK_SHIFT;
            int page = next(block.getValue(), 0, true);
            while (page < BLOCK_PAGES) {
                if (first + page != end) {
                    add(found, start, end);
                    start = first + page;
                }
                page = next(block.getValue(), page, false);
                end = first + page;
                page = next(block.getValue(), page, true);
            }
        }
        add(found, start, end);
        return found;
    }

    private static void add(List<PageRange> to, long start, long end) {
        if (start < end) {
            to.add(new PageRange(start << PAGE_SHIFT, end << PAGE_SHIFT));
        }
    }

    /** The first page of a block from one on that is in, or is not; behind the last if none is. */
    private static int next(long[] block, int from, boolean in) {
        for (int page = from; page < BLOCK_PAGES; page = (page | (Long.SIZE - 1)) + 1) {
            long word = block[page >> WORD_SHIFT];
            long rest = (in ? word : ~word) >>> page;
            if (rest != 0) {
                return page + Long.numberOfTrailingZeros(rest);
            }
        }
        return BLOCK_PAGES;
    }

    /** How many bytes that is. */
    long bytes() {
        return blocks.values().stream().flatMapToLong(Arrays::stream).map(Long::bitCount).sum()
                << PAGE_SHIFT;
    }
}
