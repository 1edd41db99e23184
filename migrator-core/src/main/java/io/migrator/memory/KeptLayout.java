package io.migrator.memory;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Where the memory of all processes of a job is kept in one address space (criufill.c), so that
 * what is one mapping of the job's is one range there. A process gets pieces of it, each for many
 * addresses more than it has, so that neighbours find room. One thread.
 */
final class KeptLayout {
    /** An order to criufill. */
    record Order(char what, long a, long b, long c, long d) {
        Order(char what, long a, long b) {
            this(what, a, b, 0, 0);
        }
    }

    /**
     * Room is made in steps of this: what a page of the kernel's directories of page tables stands
     * for, and mremap(2) moves by one entry.
     */
    static final long WINDOW_BYTES = 1L << 30;

    private static final long MOST_BYTES = 1L << 45;

    /** So much of what is left a new piece takes. */
    private static final long PART = 1024;

    private final Consumer<Order> orders;
    private final Map<Integer, TreeMap<Long, Piece>> processes = new HashMap<>();
    private final Set<Long> usable = new HashSet<>();
    private long next;

    /** Addresses from start to before end are kept from offset on; all are multiples of windows. */
    private record Piece(long start, long end, long offset) {
        boolean holds(long from, long to) {
            return from >= start && to <= end;
        }

        long at(long address) {
            return offset + address - start;
        }
    }

    /**
     * Nothing is kept.
     *
     * @param orders that make the room, in their order
     */
    KeptLayout(Consumer<Order> orders) {
        this.orders = orders;
    }

    private static long down(long address) {
        return address & -WINDOW_BYTES;
    }

    private static long up(long address) {
        return down(address + WINDOW_BYTES - 1);
    }

    /** Where the range from an address on ends that is kept as one with it. */
    static long windowEnd(long address) {
        return down(address) + WINDOW_BYTES;
    }

    /** Where an address is kept, or -1 if there is no room. */
    long offset(int pid, long address) {
        TreeMap<Long, Piece> pieces = processes.computeIfAbsent(pid, _ -> new TreeMap<>());
        Piece piece = holder(pieces, address);
        if (piece == null) {
            long start = down(address);
            long room = down(Math.max(WINDOW_BYTES, (MOST_BYTES - next) / PART));
            Long behind = pieces.higherKey(address);
            long end = Math.min(start + room, behind == null ? Long.MAX_VALUE : behind);
            if (room > MOST_BYTES - next) {
                return -1;
            }
            piece = new Piece(start, end, take(end - start));
            pieces.put(start, piece);
        }
        long offset = piece.at(address);
        use(down(offset));
        return offset;
    }

    private static @Nullable Piece holder(TreeMap<Long, Piece> pieces, long address) {
        Map.Entry<Long, Piece> found = pieces.floorEntry(address);
        return found != null && address < found.getValue().end ? found.getValue() : null;
    }

    private long take(long bytes) {
        long offset = next;
        next += bytes;
        return offset;
    }

    private void use(long window) {
        if (usable.add(window)) {
            orders.accept(new Order('U', window, WINDOW_BYTES));
        }
    }

    /**
     * Where a mapping is kept as one.
     *
     * @param usable whether all of it is to be made memory that can be written
     * @throws IOException if there is no room
     */
    long whole(int pid, long start, long end, boolean usable) throws IOException {
        TreeMap<Long, Piece> pieces = processes.computeIfAbsent(pid, _ -> new TreeMap<>());
        Piece piece = holder(pieces, start);
        if (piece == null || !piece.holds(start, end)) {
            piece = joined(pieces, start, end);
        }
        for (long at = down(start); usable && at < end; at += WINDOW_BYTES) {
            use(piece.at(at));
        }
        return piece.at(start);
    }

    /** One piece in the place of those that have parts of a range. */
    private Piece joined(TreeMap<Long, Piece> pieces, long start, long end) throws IOException {
        List<Piece> parts = new ArrayList<>();
        Map.Entry<Long, Piece> first = pieces.floorEntry(start);
        if (first != null && first.getValue().end > start) {
            parts.add(first.getValue());
        }
        parts.addAll(pieces.subMap(start, false, end, false).values());
        long from = down(start);
        long to = up(end);
        for (Piece part : parts) {
            from = Math.min(from, part.start);
            to = Math.max(to, part.end);
        }
        if (to - from > MOST_BYTES - next) {
            throw new IOException("its mappings are too large to be kept");
        }
        Piece joined = new Piece(from, to, take(to - from));
        for (Piece part : parts) {
            move(part, joined);
            pieces.remove(part.start);
        }
        pieces.put(from, joined);
        return joined;
    }

    private void move(Piece part, Piece into) {
        for (long at = part.start; at < part.end; at += WINDOW_BYTES) {
            if (usable.remove(part.at(at))) {
                orders.accept(new Order('M', part.at(at), WINDOW_BYTES, into.at(at), 0));
                usable.add(into.at(at));
            }
        }
    }

    /** Gives the offsets of a range of which something is kept, one range each. */
    void each(int pid, PageRange range, Consumer<PageRange> offsets) {
        long at = range.start();
        while (at < range.end()) {
            TreeMap<Long, Piece> pieces = Objects.requireNonNull(processes.get(pid));
            Piece piece = Objects.requireNonNull(holder(pieces, at));
            long end = Math.min(range.end(), piece.end);
            offsets.accept(new PageRange(piece.at(at), piece.at(at) + end - at));
            at = end;
        }
    }
}
