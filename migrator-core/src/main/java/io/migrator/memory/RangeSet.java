package io.migrator.memory;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A set of addresses, as few ranges as it can be: for what is sparse. One thread. */
final class RangeSet {
    /** Ends by their starts; no two touch each other. */
    private final TreeMap<Long, Long> ends = new TreeMap<>();

    void add(PageRange range) {
        long start = range.start();
        long end = range.end();
        Map.Entry<Long, Long> near = ends.floorEntry(end);
        while (near != null && near.getValue() >= start) {
            start = Math.min(start, near.getKey());
            end = Math.max(end, near.getValue());
            ends.remove(near.getKey());
            near = ends.floorEntry(end);
        }
        ends.put(start, end);
    }

    void remove(PageRange range) {
        for (PageRange part : in(range)) {
            Map.Entry<Long, Long> whole = ends.floorEntry(part.start());
            long start = whole.getKey();
            long end = whole.getValue();
            ends.remove(start);
            if (start < part.start()) {
                ends.put(start, part.start());
            }
            if (part.end() < end) {
                ends.put(part.end(), end);
            }
        }
    }

    /** Keeps only what is in one of some ranges. */
    void retainAll(List<PageRange> ranges) {
        List<PageRange> kept = new ArrayList<>();
        ranges.forEach(each -> kept.addAll(in(each)));
        ends.clear();
        kept.forEach(this::add);
    }

    /** The parts of a range that are in the set, in order. */
    List<PageRange> in(PageRange range) {
        List<PageRange> found = new ArrayList<>();
        Long first = ends.floorKey(range.start());
        for (Map.Entry<Long, Long> each :
                ends.tailMap(first == null ? range.start() : first, true).entrySet()) {
            if (each.getKey() >= range.end()) {
                break;
            }
            if (each.getValue() > range.start()) {
                found.add(
                        new PageRange(
                                Math.max(each.getKey(), range.start()),
                                Math.min(each.getValue(), range.end())));
            }
        }
        return found;
    }

    /** The parts of a range that are not, in order. */
    List<PageRange> notIn(PageRange range) {
        List<PageRange> found = new ArrayList<>();
        long at = range.start();
        for (PageRange each : in(range)) {
            if (at < each.start()) {
                found.add(new PageRange(at, each.start()));
            }
            at = each.end();
        }
        if (at < range.end()) {
            found.add(new PageRange(at, range.end()));
        }
        return found;
    }
}
