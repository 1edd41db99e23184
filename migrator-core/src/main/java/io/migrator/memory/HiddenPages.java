package io.migrator.memory;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The pages that criushim.c kept out of criu's dump: exactly these must travel beside the images.
 *
 * @param byPid ranges of each process, by its pid inside the instance, in order, none overlapping
 */
public record HiddenPages(Map<Integer, List<Range>> byPid) {
    /** Name of the shim's file in the images directory. */
    private static final String FILE = "hidden";

    private static final int RECORD_BYTES = 24;
    private static final int PAGE_BYTES = 4096;

    /** Addresses from start to before end, both multiples of the page size. */
    public record Range(long start, long end) {
        long bytes() {
            return end - start;
        }
    }

    /** Reads what the shim wrote during a dump that is complete; no file means no page. */
    public static HiddenPages of(Path images) throws IOException {
        Path file = images.resolve(FILE);
        Map<Integer, List<Range>> byPid = new TreeMap<>();
        if (!Files.exists(file)) {
            return new HiddenPages(byPid);
        }
        ByteBuffer records =
                ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.nativeOrder());
        if (records.remaining() % RECORD_BYTES != 0) {
            throw new IOException(file + " is cut off");
        }
        while (records.hasRemaining()) {
            int pid = Math.toIntExact(records.getLong());
            Range range = new Range(records.getLong(), records.getLong());
            if (range.bytes() <= 0 || range.start % PAGE_BYTES != 0 || range.end % PAGE_BYTES != 0) {
                throw new IOException(file + " holds " + range);
            }
            byPid.computeIfAbsent(pid, key -> new ArrayList<>()).add(range);
        }
        byPid.replaceAll((pid, ranges) -> joined(ranges));
        return new HiddenPages(byPid);
    }

    /** In order, with what touches or overlaps (criu may ask twice) joined. */
    private static List<Range> joined(List<Range> ranges) {
        ranges.sort(Comparator.comparingLong(Range::start));
        List<Range> joined = new ArrayList<>();
        for (Range range : ranges) {
            Range last = joined.isEmpty() ? null : joined.getLast();
            if (last != null && range.start <= last.end) {
                joined.set(
                        joined.size() - 1,
                        new Range(last.start, Math.max(last.end, range.end)));
            } else {
                joined.add(range);
            }
        }
        return joined;
    }

    /** Sum over all processes. */
    public long bytes() {
        return byPid.values().stream().flatMap(List::stream).mapToLong(Range::bytes).sum();
    }
}
