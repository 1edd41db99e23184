package io.migrator.remote;

import io.migrator.memory.PageRange;
import io.migrator.wire.Frame;

import java.nio.ByteBuffer;
import java.util.List;

/** Pages of a job as frames, and back. */
public final class PageFrames {
    private PageFrames() {}

    /** A frame of all of these places; the bytes stay the caller's. */
    public static Frame of(int pid, List<PageRange> places, ByteBuffer bytes) {
        return places.size() == 1
                ? new Frame.Pages(pid, places.getFirst().start(), bytes)
                : new Frame.ScatteredPages(
                        pid,
                        places.stream()
                                .map(each -> new Frame.Place(each.start(), (int) each.bytes()))
                                .toList(),
                        bytes);
    }

    /** Where the pages of such a frame lie. */
    public static List<PageRange> places(Frame.ScatteredPages pages) {
        return pages.places().stream()
                .map(each -> new PageRange(each.address(), each.address() + each.bytes()))
                .toList();
    }

    /** Where those of such a frame lie. */
    public static List<PageRange> places(Frame.Pages pages) {
        return List.of(new PageRange(pages.address(), pages.address() + pages.data().remaining()));
    }

    /** The same of zeros. */
    public static PageRange place(Frame.ZeroPages zeros) {
        return new PageRange(zeros.address(), zeros.address() + zeros.bytes());
    }
}
