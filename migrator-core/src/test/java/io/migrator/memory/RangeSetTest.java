package io.migrator.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;

class RangeSetTest {
    private static final int PLACES = 60;

    /** The same with a bit for each place. */
    @Test
    void isWhatBitsAre() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int run = 0; run < 300; run++) {
            RangeSet set = new RangeSet();
            BitSet bits = new BitSet();
            for (int step = 0; step < 30; step++) {
                PageRange range = range(random);
                int from = (int) range.start();
                int to = (int) range.end();
                switch (random.nextInt(5)) {
                    case 0 -> {
                        set.remove(range);
                        bits.clear(from, to);
                    }
                    case 1 -> {
                        PageRange other = new PageRange(range.end() + 1, PLACES + 1);
                        set.retainAll(List.of(range, other));
                        bits.clear(0, from);
                        bits.clear(to, to + 1);
                    }
                    default -> {
                        set.add(range);
                        bits.set(from, to);
                    }
                }
                PageRange asked = range(random);
                assertEquals(parts(bits, asked, true), set.in(asked), "seed " + seed);
                assertEquals(parts(bits, asked, false), set.notIn(asked), "seed " + seed);
            }
        }
    }

    private static PageRange range(Random random) {
        int start = random.nextInt(PLACES);
        return new PageRange(start, start + 1 + random.nextInt(PLACES - start));
    }

    private static List<PageRange> parts(BitSet bits, PageRange range, boolean in) {
        List<PageRange> found = new ArrayList<>();
        long start = -1;
        for (long at = range.start(); at <= range.end(); at++) {
            boolean is = at < range.end() && bits.get((int) at) == in;
            if (is && start < 0) {
                start = at;
            } else if (!is && start >= 0) {
                found.add(new PageRange(start, at));
                start = -1;
            }
        }
        return found;
    }
}
