package io.migrator.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.memory.KeptLayout.Order;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;

class KeptLayoutTest {
    private static final long WINDOW = KeptLayout.WINDOW_BYTES;
    private static final long HUGE = 2L << 20;
    private static final long MOST = 1L << 45;
    private static final long HEAP = 0x55d0_1234_5000L;

    private final List<Order> orders = new ArrayList<>();
    private final KeptLayout layout = new KeptLayout(orders::add);

    @Test
    void neighboursStayNeighboursAndHugePagesHuge() {
        long first = layout.offset(7, HEAP);
        assertEquals(HEAP % HUGE, first % HUGE);
        assertEquals(first + 3 * WINDOW, layout.offset(7, HEAP + 3 * WINDOW));
        assertEquals(first, layout.offset(7, HEAP));
        assertEquals(2, orders.size(), orders.toString()); // room for two windows
    }

    @Test
    void processesHaveTheirOwn() {
        assertTrue(Math.abs(layout.offset(7, HEAP) - layout.offset(8, HEAP)) >= WINDOW);
    }

    @Test
    void whatIsInOnePieceIsWholeWithoutMoving() throws IOException {
        long offset = layout.offset(7, HEAP);
        int before = orders.size();
        assertEquals(offset, layout.whole(7, HEAP, HEAP + HUGE, true));
        assertEquals(before, orders.size());
    }

    /** A mapping below one that was there before grows up to it. */
    @Test
    void piecesBecomeOne() throws IOException {
        long high = HEAP + 10 * WINDOW;
        long old = layout.offset(7, high);
        layout.offset(7, HEAP);
        orders.clear();
        long whole = layout.whole(7, HEAP, high + HUGE, true);
        assertEquals(
                new Order('M', old - old % WINDOW, WINDOW, whole + high - HEAP - high % WINDOW, 0),
                orders.stream().filter(each -> each.what() == 'M').toList().getLast());
        assertEquals(whole + high - HEAP, layout.offset(7, high));
    }

    @Test
    void itEndsBeforeTheAddressSpaceDoes() {
        int pids = 0;
        while (layout.offset(pids, HEAP) >= 0) {
            pids++;
        }
        assertTrue(pids > 2000, "only " + pids);
        for (Order order : orders) {
            assertTrue(order.a() + order.b() <= MOST, order.toString());
        }
    }

    /**
     * Whatever comes: what two addresses share nobody, and what moved is where it is said to be.
     */
    @Test
    void nothingOverlaps() throws IOException {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        TreeMap<Long, Long> keeps =
                new TreeMap<>(); // window by its first address, as criufill has it
        for (int step = 0; step < 300; step++) {
            orders.clear();
            long address = (random.nextInt(40) * 16L + random.nextInt(4)) * WINDOW;
            if (random.nextInt(3) > 0) {
                keeps.put(address, layout.offset(1, address));
            } else {
                long whole =
                        layout.whole(1, address, address + (1 + random.nextInt(30)) * WINDOW, true);
                keeps.put(address, whole);
            }
            for (Order order : orders) {
                if (order.what() == 'M') {
                    keeps.replaceAll((_, at) -> at == order.a() ? order.c() : at);
                }
            }
            assertEquals(keeps.size(), keeps.values().stream().distinct().count(), "seed " + seed);
            keeps.forEach((from, at) -> assertEquals(at, layout.offset(1, from), "seed " + seed));
        }
    }
}
