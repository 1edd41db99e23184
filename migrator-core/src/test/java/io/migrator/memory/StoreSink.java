package io.migrator.memory;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A target that is a map: what was sent last for each page of a process. */
final class StoreSink implements PageSink {
    private static final int PAGE = PageSet.PAGE_BYTES;

    private record Place(int pid, long address) {}

    private final Map<Place, ByteBuffer> pages = new HashMap<>();

    @Override
    public void pages(int pid, List<PageRange> places, ByteBuffer bytes) {
        int from = 0;
        for (PageRange each : places) {
            for (long at = each.start(); at < each.end(); at += PAGE, from += PAGE) {
                byte[] page = new byte[PAGE];
                bytes.get(from, page);
                pages.put(new Place(pid, at), ByteBuffer.wrap(page));
            }
        }
    }

    @Override
    public void zeros(int pid, PageRange place) {
        for (long at = place.start(); at < place.end(); at += PAGE) {
            pages.put(new Place(pid, at), ByteBuffer.allocate(PAGE));
        }
    }

    /** What a page holds; null if it did not come. */
    ByteBuffer get(int pid, long address) {
        return pages.get(new Place(pid, address));
    }
}
