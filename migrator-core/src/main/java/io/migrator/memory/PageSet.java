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

    private static final long[] NOTHING = new long[WORDS];

    private final TreeMap<Long, long[]> blocks = new TreeMap<>();

    private interface Change {
        /** Of words of a block, from bits of the first to bits of the last that are meant. */
        void of(long[] words, int word, long bits);
    }

    /** Adds a range. */
    void add(long start, long end) {
        for (PageRange part : blocks(start, end)) {
            add(part);
        }
    }

    /** Adds what lies in one block. */
    private void add(PageRange part) {
        long[] words = ofBlock(blockOf(part.start()));
        if (part.bytes() == (long) BLOCK_PAGES << PAGE_SHIFT) {
            Arrays.fill(words, -1L);
        } else {
            each(words, part, (all, word, bits) -> all[word] |= bits);
        }
    }

    private long[] ofBlock(long block) {
        return blocks.computeIfAbsent(block, _ -> new long[WORDS]);
    }

    /** Takes a range out. */
    void remove(long start, long end) {
        near(
                new PageRange(start, end),
                (block, words, part) -> {
                    each(words, part, (all, word, bits) -> all[word] &= ~bits);
                    return true;
                });
    }

    /** Adds what another has. */
    void addAll(PageSet other) {
        other.blocks.forEach((block, theirs) -> or(ofBlock(block), theirs));
    }

    /** The same pages, in another set. */
    PageSet copy() {
        return without(new PageSet());
    }

    /** A new set of those that another has not. */
    PageSet without(PageSet other) {
        PageSet rest = new PageSet();
        for (Map.Entry<Long, long[]> ours : blocks.entrySet()) {
            long[] theirs = other.blocks.get(ours.getKey());
            if (theirs == null) {
                rest.blocks.put(ours.getKey(), ours.getValue().clone());
            } else if (!isWithin(ours.getValue(), theirs)) {
                long[] words = ours.getValue().clone();
                andNot(words, theirs);
                rest.blocks.put(ours.getKey(), words);
            }
        }
        return rest;
    }

    // Of one block each

    private static void or(long[] words, long[] others) {
        for (int word = 0; word < WORDS; word++) {
            words[word] |= others[word];
        }
    }

    private static void and(long[] words, long[] others) {
        for (int word = 0; word < WORDS; word++) {
            words[word] &= others[word];
        }
    }

    private static void andNot(long[] words, long[] others) {
        for (int word = 0; word < WORDS; word++) {
            words[word] &= ~others[word];
        }
    }

    private static boolean isWithin(long[] words, long[] others) {
        for (int word = 0; word < WORDS; word++) {
            if ((words[word] & ~others[word]) != 0) {
                return false;
            }
        }
        return true;
    }

    /** Adds what another has of a range. */
    void addAll(PageSet other, PageRange range) {
        other.near(
                range,
                (block, theirs, part) -> {
                    each(
                            ofBlock(block),
                            part,
                            (all, word, bits) -> all[word] |= theirs[word] & bits);
                    return true;
                });
    }

    private interface Near {
        /** Of a block, and what of the range lies in it; false ends it. */
        boolean of(long block, long[] words, PageRange part);
    }

    /** Shows every block that has a part of a range. */
    private void near(PageRange range, Near near) {
        if (range.start() >= range.end()) {
            return;
        }
        Map<Long, long[]> some =
                blocks.subMap(blockOf(range.start()), true, blockOf(range.end() - 1), true);
        for (Map.Entry<Long, long[]> block : some.entrySet()) {
            long first = block.getKey() << BLOCK_SHIFT + PAGE_SHIFT;
            long behind = first + ((long) BLOCK_PAGES << PAGE_SHIFT);
            PageRange part =
                    new PageRange(Math.max(first, range.start()), Math.min(behind, range.end()));
            if (!near.of(block.getKey(), block.getValue(), part)) {
                return;
            }
        }
    }

    /** Takes out what another has. */
    void removeAll(PageSet other) {
        for (Map.Entry<Long, long[]> theirs : other.blocks.entrySet()) {
            long[] ours = blocks.get(theirs.getKey());
            if (ours != null) {
                andNot(ours, theirs.getValue());
            }
        }
    }

    /** Keeps only what another has, too. */
    void retainAll(PageSet other) {
        for (Map.Entry<Long, long[]> ours : blocks.entrySet()) {
            and(ours.getValue(), other.blocks.getOrDefault(ours.getKey(), NOTHING));
        }
    }

    /**
     * Keeps only what is in some ranges.
     *
     * @param ranges in order, apart from each other
     */
    void retainAll(List<PageRange> ranges) {
        cut(
                ranges,
                (words, mask) -> {
                    and(words, mask);
                    return true;
                });
    }

    /**
     * Whether all pages are in some of the ranges.
     *
     * @param ranges in order, apart from each other
     */
    boolean isWithin(List<PageRange> ranges) {
        return cut(ranges, PageSet::isWithin);
    }

    private interface Cut {
        /** Of a block and what of it is in ranges; false ends it. */
        boolean of(long[] words, long[] mask);
    }

    /** Shows every block that does not lie in one of the ranges as a whole. */
    private boolean cut(List<PageRange> ranges, Cut cut) {
        int at = 0;
        for (Map.Entry<Long, long[]> block : blocks.entrySet()) {
            long first = block.getKey() << BLOCK_SHIFT + PAGE_SHIFT;
            long behind = first + ((long) BLOCK_PAGES << PAGE_SHIFT);
            while (at < ranges.size() && ranges.get(at).end() <= first) {
                at++;
            }
            if (at < ranges.size()
                    && ranges.get(at).start() <= first
                    && ranges.get(at).end() >= behind) {
                continue;
            }
            PageSet inside = new PageSet();
            for (int each = at; each < ranges.size() && ranges.get(each).start() < behind; each++) {
                inside.add(
                        Math.max(first, ranges.get(each).start()),
                        Math.min(behind, ranges.get(each).end()));
            }
            long[] mask = inside.blocks.getOrDefault(block.getKey(), NOTHING);
            if (!cut.of(block.getValue(), mask)) {
                return false;
            }
        }
        return true;
    }

    private static long blockOf(long address) {
        return address >>> BLOCK_SHIFT + PAGE_SHIFT;
    }

    /** Cuts a range where blocks end. */
    private static List<PageRange> blocks(long start, long end) {
        List<PageRange> parts = new ArrayList<>();
        for (long at = start; at < end; ) {
            long behind = Math.min(end, blockOf(at) + 1 << BLOCK_SHIFT + PAGE_SHIFT);
            parts.add(new PageRange(at, behind));
            at = behind;
        }
        return parts;
    }

    /** All of the words that have pages of a range, which lies in one block. */
    private static void each(long[] words, PageRange range, Change change) {
        int page = (int) (range.start() >>> PAGE_SHIFT) & (BLOCK_PAGES - 1);
        int behind = page + (int) (range.end() - range.start() >>> PAGE_SHIFT);
        while (page < behind) {
            int bit = page & (Long.SIZE - 1);
            int count = Math.min(Long.SIZE - bit, behind - page);
            long bits = (count == Long.SIZE ? -1L : (1L << count) - 1) << bit;
            change.of(words, page >> WORD_SHIFT, bits);
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

    /**
     * Where it has at least so many pages of a block of 2 MB it gets all that another has there.
     */
    void fillUp(PageSet other, int least) {
        for (Map.Entry<Long, long[]> ours : blocks.entrySet()) {
            long[] theirs = other.blocks.get(ours.getKey());
            if (theirs != null && count(ours.getValue()) >= least) {
                or(ours.getValue(), theirs);
            }
        }
    }

    private static int count(long[] block) {
        int pages = 0;
        for (long word : block) {
            pages += Long.bitCount(word);
        }
        return pages;
    }

    /** Whether any page of a range is in. */
    boolean hasAny(PageRange range) {
        long[] found = {0};
        near(
                range,
                (block, words, part) -> {
                    each(words, part, (all, word, bits) -> found[0] |= all[word] & bits);
                    return found[0] == 0;
                });
        return found[0] != 0;
    }

    /** What the blocks stand for in which there are or were any: the set's own size follows it. */
    long spannedBytes() {
        return (long) blocks.size() << BLOCK_SHIFT + PAGE_SHIFT;
    }

    /** The blocks of 2 MB of which all pages are in, in order. */
    List<PageRange> fullBlocks() {
        List<PageRange> found = new ArrayList<>();
        blocks.forEach((block, words) -> {
            if (Arrays.stream(words).allMatch(word -> word == -1L)) {
                long start = block << BLOCK_SHIFT + PAGE_SHIFT;
                found.add(new PageRange(start, start + ((long) BLOCK_PAGES << PAGE_SHIFT)));
            }
        });
        return found;
    }

    /** How many bytes that is. */
    long bytes() {
        long pages = 0;
        for (long[] words : blocks.values()) {
            pages += count(words);
        }
        return pages << PAGE_SHIFT;
    }
}
