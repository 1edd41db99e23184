package io.migrator.memory;

import io.migrator.linux.PageMap;
import io.migrator.linux.Proc;
import io.migrator.linux.ProcessMemory;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Finds what a process still has of its parent, page by page, since it was forked (fork(2): pages
 * are copied on a write): it need not be sent, and takes no memory of its own on the target either,
 * as criu makes the process by a fork of its parent, too. Owns some native memory; one thread at a
 * time.
 */
final class Inheritance implements AutoCloseable {
    private static final int PAGE = PageSet.PAGE_BYTES;
    private static final int BLOCK_BYTES = 1 << 18;

    /** It is not worth the calls to move a mapping for less. */
    static final long LEAST_BYTES = 1 << 18;

    /**
     * What else is in such a mapping is copied on the target while the job stands still: at most so
     * many times less than what is inherited, and no more than that.
     */
    private static final int PART = 4;

    private static final long MOST_BYTES = 32L << 20;

    private final ProcessMemory memory = new ProcessMemory();
    private final ByteBuffer ours = ByteBuffer.allocateDirect(BLOCK_BYTES);
    private final ByteBuffer theirs = ByteBuffer.allocateDirect(BLOCK_BYTES);

    /**
     * Of some pages those that the kernel says are not the process's alone, and which hold what the
     * parent's hold. One that is written meanwhile may be among them.
     *
     * @throws IOException if one of the two has ended
     */
    PageSet find(Proc child, Proc parent, PageSet pages) throws IOException {
        PageSet shared = new PageSet();
        try (PageMap map = PageMap.of(child)) {
            for (PageRange range : pages.ranges()) {
                map.shared(range.start(), range.end(), shared::add);
            }
        }

        PageSet same = new PageSet();
        List<PageRange> batch = new ArrayList<>();
        int bytes = 0;
        for (PageRange range : shared.ranges()) {
            for (long at = range.start(); at < range.end(); ) {
                long end = Math.min(range.end(), at + BLOCK_BYTES - bytes);
                batch.add(new PageRange(at, end));
                bytes += (int) (end - at);
                at = end;
                if (bytes == BLOCK_BYTES || batch.size() == ProcessMemory.MOST_RANGES) {
                    compare(child, parent, batch, bytes, same);
                    batch.clear();
                    bytes = 0;
                }
            }
        }
        compare(child, parent, batch, bytes, same);
        return same;
    }

    private void compare(Proc child, Proc parent, List<PageRange> batch, int bytes, PageSet same) {
        List<long[]> ranges =
                batch.stream().map(each -> new long[] {each.start(), each.bytes()}).toList();
        try {
            memory.readShared(child.pid(), ranges, ours.clear().limit(bytes));
            memory.readShared(parent.pid(), ranges, theirs.clear().limit(bytes));
        } catch (IOException e) {
            return; // something of it was unmapped: it is sent, if it is still there
        }
        int from = 0;
        for (PageRange range : batch) {
            for (long at = range.start(); at < range.end(); at += PAGE, from += PAGE) {
                ours.limit(from + PAGE).position(from);
                theirs.limit(from + PAGE).position(from);
                if (ours.equals(theirs)) {
                    same.add(at, at + PAGE);
                }
            }
        }
    }

    /**
     * Takes out what cannot be inherited or is not worth it.
     *
     * @param shared with the parent
     * @param all that the process has
     * @param areas of the process
     * @param parents areas of the parent
     */
    static void keepWorth(
            PageSet shared, PageSet all, List<PageRange> areas, List<PageRange> parents) {
        TreeMap<Long, Long> theirs = new TreeMap<>();
        parents.forEach(each -> theirs.put(each.start(), each.end()));
        List<PageRange> kept = new ArrayList<>();
        for (PageRange area : areas) {
            Map.Entry<Long, Long> from = theirs.floorEntry(area.start());
            long end = from == null ? 0 : Math.min(area.end(), from.getValue());
            PageRange common = new PageRange(area.start(), Math.max(area.start(), end));
            long inherited = bytes(shared, common);
            long most = Math.min(MOST_BYTES, inherited / PART);
            if (inherited >= LEAST_BYTES && bytes(all, area) - inherited <= most) {
                kept.add(common);
            }
        }
        shared.retainAll(kept);
    }

    private static long bytes(PageSet pages, PageRange range) {
        PageSet some = new PageSet();
        some.addAll(pages, range);
        return some.bytes();
    }

    @Override
    public void close() {
        memory.close();
    }
}
