package io.migrator.memory;

import io.migrator.criu.MemoryMap;
import io.migrator.linux.FifoWriter;
import io.migrator.memory.KeptLayout.Order;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Pages of a job that are on the target before its processes are: in the memory of the criu that
 * will make these, from where they come into their places without being copied (criufill.c). One
 * thread at a time.
 */
public final class KeptPages implements AutoCloseable {
    private static final long HUGE_BYTES = 2L << 20;

    /** So much at once, at the beginning of a huge page, and the rest of it will follow. */
    private static final int HALF_BYTES = 1 << 20;

    private static final long ADDRESSES = 1L << 47;

    /** Zeros take no room but that in sets of pages, which here is a third of the heap. */
    private static final long MOST_ZERO_BYTES = 1L << 40;

    private static final Path NOBODY = Path.of("/dev/null");
    private static final int REHEARSED = 8;
    private static final int TIMES = 8;
    private static final int ORDER_BYTES = 5 * Long.BYTES;
    private static final int STAGED_BYTES = 1 << 17;

    private final Opening opening;

    /** What is not written yet: a page alone is not worth a call of the kernel. */
    private final ByteBuffer staged =
            ByteBuffer.allocateDirect(STAGED_BYTES).order(ByteOrder.nativeOrder());

    private final List<Order> orders = new ArrayList<>();
    private final KeptLayout layout = new KeptLayout(orders::add);

    /** Pages that came. */
    private final JobPages there = new JobPages();

    /** The same and what came into being with them. */
    private final JobPages made = new JobPages();

    /** What sets of pages span for zeros alone. */
    private long zeroBytes;

    private @Nullable FifoWriter writer;

    /** Opens the way to criu. */
    @FunctionalInterface
    public interface Opening {
        /** Waits until criu reads. */
        FifoWriter open() throws IOException, Problem, InterruptedException;
    }

    /** None yet. */
    public KeptPages(Opening opening) {
        this.opening = opening;
    }

    /** Does with a few pages what is done with many, to nobody: the first time takes long. */
    public static void rehearse() throws IOException, Problem, InterruptedException {
        for (int i = 0; i < TIMES; i++) {
            rehearseOnce();
        }
    }

    private static void rehearseOnce() throws IOException, Problem, InterruptedException {
        JobPages wanted = new JobPages();
        List<MemoryMap.Area> areas = new ArrayList<>();
        ByteBuffer page = ByteBuffer.allocateDirect(PageSet.PAGE_BYTES);
        KeptPages kept = new KeptPages(() -> FifoWriter.open(NOBODY).orElseThrow());
        for (long at = HUGE_BYTES; at < REHEARSED * HUGE_BYTES; at += HUGE_BYTES) {
            kept.put(1, at, page);
            kept.put(1, at + 2L * PageSet.PAGE_BYTES, page);
            wanted.add(1, at, at + PageSet.PAGE_BYTES);
            areas.add(MemoryMap.Area.plain(at, at + HUGE_BYTES / 2));
        }
        kept.place(wanted, Map.of(1, new MemoryMap(areas)), Inherited.none());
        wanted.without(kept.placed()).bytes();
        kept.go(false);
        kept.close();
    }

    /**
     * Keeps pages, in the place of what was kept of them before.
     *
     * @param pages direct; left as they are
     * @return false if there is no room for them in criu's address space
     * @throws IOException if criu is gone
     */
    public boolean put(int pid, long address, ByteBuffer pages)
            throws IOException, Problem, InterruptedException {
        if (address < 0 || address > ADDRESSES - pages.remaining()) {
            return false;
        }
        long end = address + pages.remaining();
        int limit = pages.limit();
        int position = pages.position();
        try {
            for (long at = address; at < end; ) {
                long before = Math.min(end, KeptLayout.windowEnd(at));
                pages.limit(position + (int) (before - address));
                pages.position(position + (int) (at - address));
                if (!put(pid, at, before, pages)) {
                    return false;
                }
                at = before;
            }
        } finally {
            pages.limit(limit).position(position);
        }
        return true;
    }

    /**
     * Keeps pages of zeros: none, in the place of what was kept of them before.
     *
     * @return false if there is no room for them in criu's address space
     * @throws IOException if they are more than can be kept track of
     */
    public boolean zeros(int pid, PageRange place)
            throws IOException, Problem, InterruptedException {
        if (place.start() < 0 || place.end() > ADDRESSES) {
            return false;
        }
        if (place.bytes() > MOST_ZERO_BYTES - zeroBytes) {
            throw new IOException("more zeros than can be kept track of");
        }
        for (long at = place.start(); at < place.end(); at = KeptLayout.windowEnd(at)) {
            if (layout.offset(pid, at) < 0) {
                return false;
            }
        }
        PageSet mine = there.at(pid);
        PageSet came = new PageSet();
        came.addAll(mine, place);
        came.retainAll(made.of(pid));
        for (PageRange each : came.ranges()) {
            layout.each(pid, each, this::forget);
        }
        made.at(pid).removeAll(came);
        zeroBytes -= mine.spannedBytes();
        mine.add(place.start(), place.end());
        zeroBytes += mine.spannedBytes();
        send();
        return true;
    }

    private boolean put(int pid, long start, long end, ByteBuffer pages)
            throws IOException, Problem, InterruptedException {
        long offset = layout.offset(pid, start);
        if (offset < 0) {
            return false;
        }
        long block = start & -HUGE_BYTES;
        boolean huge = start == block && end - start == HALF_BYTES && isNew(pid, block);
        orders.add(new Order('W', offset, end - start, huge ? 1 : 0, 0));
        send();
        if (pages.remaining() > STAGED_BYTES / 2) {
            flush();
            writer().write(pages);
        } else {
            stage(pages.remaining()).put(pages.duplicate());
        }
        there.add(pid, start, end);
        made.add(pid, start, huge ? block + HUGE_BYTES : end);
        return true;
    }

    private boolean isNew(int pid, long block) {
        return !made.of(pid).hasAny(new PageRange(block, block + HUGE_BYTES));
    }

    private FifoWriter writer() throws IOException, Problem, InterruptedException {
        FifoWriter open = writer;
        if (open == null) {
            open = opening.open();
            writer = open;
        }
        return open;
    }

    private void send() throws IOException, Problem, InterruptedException {
        for (Order each : orders) {
            stage(ORDER_BYTES)
                    .putLong(each.what())
                    .putLong(each.a())
                    .putLong(each.b())
                    .putLong(each.c())
                    .putLong(each.d());
        }
        orders.clear();
    }

    /** Makes room for so many bytes. */
    private ByteBuffer stage(int length) throws IOException, Problem, InterruptedException {
        if (staged.remaining() < length) {
            flush();
        }
        return staged;
    }

    private void flush() throws IOException, Problem, InterruptedException {
        writer().write(staged.flip());
        staged.clear();
    }

    /**
     * Says where the pages go, and to forget those that are not wanted.
     *
     * @param wanted by the job
     * @param maps of all processes that have memory, by their pids inside
     * @param inherited of the wanted pages
     * @return how many processes get pages so; each will say so
     * @throws IOException if criu is gone, or pages are in no mapping, or are inherited of who has
     *     none
     */
    public int place(JobPages wanted, Map<Integer, MemoryMap> maps, Inherited inherited)
            throws IOException, Problem, InterruptedException {
        if (there.pids().isEmpty()) {
            return 0;
        }
        for (int pid : there.pids()) {
            PageSet others = inherited.pages().of(pid);
            PageSet own = others.bytes() > 0 ? wanted.of(pid).without(others) : wanted.of(pid);
            for (PageRange range : made.of(pid).without(own).ranges()) {
                layout.each(pid, range, this::forget);
            }
            there.at(pid).retainAll(own);
        }
        orNotThere(inherited);
        int processes = 0;
        for (Map.Entry<Integer, MemoryMap> each : maps.entrySet()) {
            processes += place(each.getKey(), each.getValue(), inherited) ? 1 : 0;
        }
        return processes;
    }

    private void orNotThere(Inherited inherited) throws IOException {
        for (int pid : inherited.pages().pids()) {
            int parent = inherited.parents().getOrDefault(pid, pid);
            PageSet missing = inherited.pages().of(pid).without(there.of(parent));
            if (missing.without(inherited.pages().of(parent)).bytes() > 0) {
                throw new IOException("process %d inherits what there is not".formatted(pid));
            }
        }
    }

    /** Those of the wanted ones that will be in their places. */
    public JobPages placed() {
        return there;
    }

    private void forget(PageRange offsets) {
        orders.add(new Order('D', offsets.start(), offsets.end() - offsets.start()));
    }

    private boolean place(int pid, MemoryMap map, Inherited inherited) throws IOException {
        PageSet mine = there.of(pid);
        PageSet parents = inherited.pages().of(pid);
        List<PageRange> placed = new ArrayList<>();
        List<Order> found = new ArrayList<>();
        Map<Long, Inherited.Origin> origins =
                parents.bytes() > 0 ? inherited.origins(pid) : Map.of();
        long at = 0;
        long begins = 0;
        long largest = 0;
        for (MemoryMap.Area area : map.areas()) {
            if (!area.isPremapped()) {
                continue;
            }
            PageRange range = new PageRange(area.start(), area.end());
            long size = range.bytes();
            if (area.isOwnMemory() && (mine.hasAny(range) || parents.hasAny(range))) {
                boolean inherits = parents.hasAny(range);
                boolean moves = area.isPlain() && !inherits;
                long offset = layout.whole(pid, area.start(), area.end(), moves);
                found.add(new Order('P', at, offset, size, moves ? 0 : 1));
                if (inherits) {
                    inherit(origins.get(area.start()), parents, found);
                }
                placed.add(range);
                if (size > largest) {
                    largest = size;
                    begins = area.start() - at;
                }
            }
            at += size;
        }
        if (!mine.isWithin(placed)) {
            throw new IOException("process %d has pages in no mapping of its own".formatted(pid));
        }
        if (found.isEmpty()) {
            return false;
        }
        orders.add(new Order('Z', pid, begins & (KeptLayout.WINDOW_BYTES - 1)));
        orders.addAll(found);
        return true;
    }

    private static void inherit(
            Inherited.@Nullable Origin origin, PageSet pages, List<Order> orders)
            throws IOException {
        if (origin == null) {
            throw new IOException("nobody has what is inherited");
        }
        PageRange common = origin.common();
        orders.add(new Order('F', origin.parent(), origin.place(), common.bytes(), 0));
        PageSet stays = new PageSet();
        stays.addAll(pages, common);
        for (PageRange each : stays.ranges()) {
            orders.add(new Order('S', each.start() - common.start(), each.end() - common.start()));
        }
    }

    /**
     * Lets criu go on.
     *
     * @param lacks whether pages are still to come: then the kernel must not make huge pages around
     *     them
     */
    public void go(boolean lacks) throws IOException, Problem, InterruptedException {
        orders.add(new Order('G', lacks ? 1 : 0, 0));
        send();
        flush();
    }

    /** If criu was not told to go on it fails now. */
    @Override
    public void close() {
        if (writer != null) {
            writer.close();
            writer = null;
        }
    }
}
