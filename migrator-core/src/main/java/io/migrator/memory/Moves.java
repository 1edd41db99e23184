package io.migrator.memory;

import java.util.ArrayList;
import java.util.List;

/**
 * Where memory lies that a program has moved since it came (mremap(2)). Nothing lay at a place to
 * which something was moved, as the kernel unmaps it before and says so. One thread.
 */
final class Moves {
    private record Move(long from, long to, long bytes) {}

    private final List<Move> all = new ArrayList<>();

    /** None yet. */
    Moves() {}

    /** The same as others until now: a child's. */
    Moves(Moves others) {
        all.addAll(others.all);
    }

    void add(long from, long to, long bytes) {
        all.add(new Move(from, to, bytes));
    }

    /** Whether everything lies where it came. */
    boolean isEmpty() {
        return all.isEmpty();
    }

    /** Where that is now which came at an address. */
    long now(long address) {
        long at = address;
        for (Move move : all) {
            if (at >= move.from && at - move.from < move.bytes) {
                at += move.to - move.from;
            }
        }
        return at;
    }

    /** The addresses at which that came which is in a range now; what did not come is left out. */
    List<PageRange> before(PageRange range) {
        List<PageRange> ranges = List.of(range);
        for (Move move : all.reversed()) {
            List<PageRange> earlier = new ArrayList<>();
            for (PageRange each : ranges) {
                long start = Math.clamp(move.to, each.start(), each.end());
                long end = Math.clamp(move.to + move.bytes, each.start(), each.end());
                stayed(earlier, move, each.start(), start);
                add(earlier, start + move.from - move.to, end + move.from - move.to);
                stayed(earlier, move, end, each.end());
            }
            ranges = earlier;
        }
        return ranges;
    }

    /** Of a range what came there, and lies there because it was never moved. */
    List<PageRange> unmoved(PageRange range) {
        List<PageRange> ranges = List.of(range);
        for (Move move : all) {
            List<PageRange> rest = new ArrayList<>();
            for (PageRange each : ranges) {
                List<PageRange> without = new ArrayList<>();
                stayed(without, move, each.start(), each.end());
                for (PageRange part : without) {
                    add(rest, part.start(), Math.clamp(move.to, part.start(), part.end()));
                    add(
                            rest,
                            Math.clamp(move.to + move.bytes, part.start(), part.end()),
                            part.end());
                }
            }
            ranges = rest;
        }
        return ranges;
    }

    /** Where something was moved away from nothing of it lies any more. */
    private static void stayed(List<PageRange> to, Move move, long start, long end) {
        add(to, start, Math.clamp(move.from, start, Math.max(start, end)));
        add(to, Math.clamp(move.from + move.bytes, start, Math.max(start, end)), end);
    }

    private static void add(List<PageRange> to, long start, long end) {
        if (start < end) {
            to.add(new PageRange(start, end));
        }
    }
}
