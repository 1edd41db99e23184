package io.migrator.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;

class PageSetTest {
    private static final long PAGE = PageSet.PAGE_BYTES;
    private static final long BASE = 0x7fff_ffe0_0000L;
    private static final int PAGES = 2000;

    private final PageSet set = new PageSet();

    private static String text(PageSet pages) {
        List<String> ranges = new ArrayList<>();
        for (PageRange each : pages.ranges()) {
            ranges.add((each.start() - BASE) / PAGE + "-" + (each.end() - BASE) / PAGE);
        }
        return String.join(" ", ranges);
    }

    private static void add(PageSet to, long from, long behind) {
        to.add(BASE + from * PAGE, BASE + behind * PAGE);
    }

    @Test
    void nothingIsInIt() {
        assertEquals("", text(set));
        assertEquals(0, set.bytes());
    }

    @Test
    void neighboursAreOneRange() {
        add(set, 3, 64);
        add(set, 64, 512);
        add(set, 512, 1030);
        add(set, 1100, 1101);
        assertEquals("3-1030 1100-1101", text(set));
        assertEquals(1028 * PAGE, set.bytes());
    }

    /** Against a set of numbers. */
    @Test
    void itIsASet() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        TreeSet<Integer> expected = new TreeSet<>();
        for (int step = 0; step < 500; step++) {
            int from = random.nextInt(PAGES);
            int behind = from + random.nextInt(PAGES - from) / (1 + random.nextInt(40));
            PageSet other = new PageSet();
            add(other, from, behind);
            switch (random.nextInt(10)) {
                case 0 -> {
                    set.removeAll(other);
                    expected.subSet(from, behind).clear();
                }
                case 1, 2 -> {
                    set.remove(BASE + from * PAGE, BASE + behind * PAGE);
                    expected.subSet(from, behind).clear();
                }
                case 5 -> {
                    PageRange low = new PageRange(BASE, BASE + from * PAGE);
                    PageRange high = new PageRange(BASE + behind * PAGE, BASE + PAGES * PAGE);
                    set.retainAll(List.of(low, high));
                    expected.subSet(from, behind).clear();
                }
                case 3 -> {
                    add(other, 0, PAGES / 2);
                    set.retainAll(other);
                    expected.removeIf(page -> page >= PAGES / 2 && (page < from || page >= behind));
                }
                case 4 -> {
                    PageSet all = new PageSet();
                    add(all, 0, PAGES);
                    set.addAll(all, new PageRange(BASE + from * PAGE, BASE + behind * PAGE));
                    for (int page = from; page < behind; page++) {
                        expected.add(page);
                    }
                }
                default -> {
                    add(set, from, behind);
                    for (int page = from; page < behind; page++) {
                        expected.add(page);
                    }
                }
            }
            assertEquals(expected.size() * PAGE, set.bytes(), "seed " + seed);
            look(expected, from, behind, "seed " + seed);
        }
        TreeSet<Integer> found = new TreeSet<>();
        for (PageRange range : set.ranges()) {
            for (long at = range.start(); at < range.end(); at += PAGE) {
                found.add((int) ((at - BASE) / PAGE));
            }
        }
        assertEquals(expected, found, "seed " + seed);
    }

    private void look(TreeSet<Integer> expected, int from, int behind, String seed) {
        PageSet one = new PageSet();
        add(one, from, behind);
        int left = expected.size() - expected.subSet(from, behind).size();
        assertEquals(left * PAGE, set.without(one).bytes(), seed);
        PageRange range = new PageRange(BASE + from * PAGE, BASE + behind * PAGE);
        if (from < behind) {
            assertEquals(!expected.subSet(from, behind).isEmpty(), set.hasAny(range), seed);
        }
        PageRange low = new PageRange(BASE, BASE + from * PAGE);
        PageRange high = new PageRange(BASE + behind * PAGE, BASE + PAGES * PAGE);
        assertEquals(
                expected.subSet(from, behind).isEmpty(), set.isWithin(List.of(low, high)), seed);
    }

    /** At the beginning of a block, too. */
    @Test
    void anEmptyRangeHasNothing() {
        PageSet all = new PageSet();
        all.add(0, 8L << 20);
        PageRange nothing = new PageRange(2L << 20, 2L << 20);
        assertFalse(all.hasAny(nothing));
        PageSet some = new PageSet();
        some.addAll(all, nothing);
        assertEquals(0, some.bytes());
    }
}
