package io.migrator.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

class MovesTest {
    private static final int PAGE = PageSet.PAGE_BYTES;

    private final Moves moves = new Moves();

    private static PageRange pages(long from, long to) {
        return new PageRange(from * PAGE, to * PAGE);
    }

    private void move(long from, long to, long count) {
        moves.add(from * PAGE, to * PAGE, count * PAGE);
    }

    @Test
    void whatWasMovedIsFoundWhereItIs() {
        move(10, 100, 5);
        assertEquals(102L * PAGE, moves.now(12L * PAGE));
        assertEquals(15L * PAGE, moves.now(15L * PAGE));
        assertEquals(
                List.of(pages(99, 100), pages(10, 15), pages(105, 106)),
                moves.before(pages(99, 106)));
    }

    /** The kernel says after a move that its old place is gone: that is not what was moved. */
    @Test
    void theOldPlaceIsNobodys() {
        move(10, 100, 5);
        assertEquals(List.of(), moves.before(pages(10, 15)));
        assertEquals(List.of(pages(9, 10), pages(15, 16)), moves.before(pages(9, 16)));
    }

    @Test
    void thereAndBackIsWhereItWas() {
        move(10, 100, 5);
        move(100, 10, 5);
        assertEquals(12L * PAGE, moves.now(12L * PAGE));
        assertEquals(List.of(pages(10, 15)), moves.before(pages(10, 15)));
        assertEquals(List.of(), moves.before(pages(100, 105)));
    }

    /** What another thread has moved there since is told apart from what was unmapped. */
    @Test
    void whatWasNeverMovedIsKnown() {
        move(10, 100, 5);
        move(50, 10, 2);
        assertEquals(List.of(pages(9, 10), pages(15, 16)), moves.unmoved(pages(9, 16)));
        assertEquals(List.of(), moves.unmoved(pages(100, 105)));
        assertEquals(List.of(pages(49, 50), pages(52, 53)), moves.unmoved(pages(49, 53)));
    }

    /** Against a list of pages that are carried about one by one. */
    @Test
    void agreesWithPagesMovedOneByOne() {
        Random random = new Random(1);
        for (int round = 0; round < 300; round++) {
            Moves some = new Moves();
            Map<Long, Long> origins = new HashMap<>(); // by where they are
            for (long page = 0; page < 40; page++) {
                origins.put(page, page);
            }
            for (int step = 0; step < 4; step++) {
                long count = 1L + random.nextInt(10);
                long from = random.nextInt(80);
                long to = free(random, origins, from, count);
                some.add(from * PAGE, to * PAGE, count * PAGE);
                Map<Long, Long> carried = new HashMap<>();
                for (long page = from; page < from + count; page++) {
                    Long origin = origins.remove(page);
                    if (origin != null) {
                        carried.put(page - from + to, origin);
                    }
                }
                origins.putAll(carried);
            }
            assertAgrees(some, origins);
        }
    }

    /** mremap(2) takes no place that overlaps the old one, and empties the new one. */
    private static long free(Random random, Map<Long, Long> origins, long from, long count) {
        long to = 200L + random.nextInt(100);
        while (Math.abs(to - from) < count
                || origins.keySet().stream().anyMatch(page -> page >= 200)
                        && overlaps(origins, to, count)) {
            to++;
        }
        return to;
    }

    private static boolean overlaps(Map<Long, Long> origins, long to, long count) {
        return origins.keySet().stream().anyMatch(page -> page >= to && page < to + count);
    }

    private static void assertAgrees(Moves some, Map<Long, Long> origins) {
        origins.forEach((now, origin) -> {
            assertEquals(now * PAGE, some.now(origin * PAGE));
            assertEquals(List.of(pages(origin, origin + 1)), some.before(pages(now, now + 1)));
        });
        List<Long> all = new ArrayList<>();
        for (PageRange range : some.before(pages(0, 1000))) {
            for (long at = range.start(); at < range.end(); at += PAGE) {
                all.add(at / PAGE);
            }
        }
        assertTrue(all.containsAll(origins.values()));
    }
}
