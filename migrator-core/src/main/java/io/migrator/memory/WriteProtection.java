package io.migrator.memory;

import io.migrator.linux.PageScan;
import io.migrator.linux.PageScan.Kind;
import io.migrator.linux.PidFd;
import io.migrator.linux.Proc;
import io.migrator.linux.WriteWatch;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Asynchronous write protection by userfaultfd, taken out of the process (facts: memory.md, section
 * 3). A mapping that is new, was moved or grew is not protected, and a process that executes
 * another program has none that is: the kernel then refuses the scan, and all pages count as
 * written.
 *
 * <p>Not seen is what a device writes into pages that it was given before (DMA): see {@link
 * #orBlind}.
 */
final class WriteProtection implements WriteTracker {
    /** What lies between is looked at, too: a question of the kernel costs as much. */
    private static final long NEAR_BYTES = 1 << 20;

    private final Proc process;
    private final PidFd held;
    private final WriteWatch watch;

    /** What was huge pages; protecting them splits those that are written. */
    private final PageSet huge;

    /**
     * Ranges that this took: cleared of marks, and reset. A child that shares its parent's memory
     * until it executes a program must not reset what the parent's tracker looks for.
     */
    private final RangeSet ours = new RangeSet();

    /** What can be taken since the round began. */
    private final RangeSet registered = new RangeSet();

    private volatile boolean frozen;

    /** Mappings that the kernel does not watch. */
    private final Set<PageRange> refused = new HashSet<>();

    private WriteProtection(Proc process, PidFd held, WriteWatch watch, PageSet huge) {
        this.process = process;
        this.held = held;
        this.watch = watch;
        this.huge = huge;
    }

    /**
     * Begins; the first thread of the process stands still for about a millisecond.
     *
     * @param held the same process; to be closed later than this
     * @throws IOException if this process cannot be watched so
     */
    static WriteProtection of(Proc process, PidFd held) throws IOException {
        orBlind(process);
        PageSet huge = new PageSet();
        try (PageScan scan = PageScan.of(process)) {
            for (PageRange area : PrivateAreas.of(process)) {
                scan(scan, area, Kind.HUGE, huge);
            }
        }
        return new WriteProtection(process, held, WriteWatch.of(process), huge);
    }

    /**
     * What was mapped since is registered, here only: a mapping that came into the place of one of
     * ours must be seen to be none before, as it could bring marks along.
     */
    @Override
    public void begin() throws IOException {
        registered.retainAll(List.of());
        try (PageScan scan = PageScan.of(process)) { // of what it executes now
            List<PageRange> areas = PrivateAreas.of(process);
            ours.retainAll(areas);
            refused.retainAll(areas);
            for (PageRange area : areas) {
                for (PageRange part : ours.in(area)) {
                    if (!isWatched(scan, part)) {
                        ours.remove(part);
                    }
                }
            }
            List<PageRange> fresh = fresh(areas);
            if (!refused.containsAll(fresh)) {
                register(fresh).forEach(registered::add);
            }
        }
    }

    /** The kernel tells of whole mappings: one page of it is asked for. */
    private static boolean isWatched(PageScan scan, PageRange part) {
        PageRange first = new PageRange(part.start(), part.start() + PageSet.PAGE_BYTES);
        return scan(scan, first, Kind.WRITTEN, new PageSet());
    }

    private List<PageRange> fresh(List<PageRange> areas) {
        return areas.stream().flatMap(area -> ours.notIn(area).stream()).toList();
    }

    @Override
    public PageSet written(PageRange within, PageSet known) throws IOException {
        PageSet found = new PageSet();
        try (PageScan scan = PageScan.of(process)) {
            List<PageRange> areas = PrivateAreas.of(process);
            ours.retainAll(areas);
            for (PageRange area : areas) {
                PageRange looked = area.within(within);
                long at = looked.start();
                while (at < looked.end() && !frozen) { // the last look is at all of it
                    long end = PageScan.pieceEnd(at, looked.end());
                    written(scan, new PageRange(at, end), known, found);
                    at = end;
                }
            }
        }
        known.removeAll(found);
        return found;
    }

    private void written(PageScan scan, PageRange looked, PageSet known, PageSet found) {
        for (PageRange part : ours.in(looked)) {
            if (!written(scan, part, Kind.WRITTEN_AND_RESET, found)) {
                ours.remove(part); // it may have reset some
            }
        }
        for (PageRange part : ours.notIn(looked)) {
            registered.in(part).forEach(each -> take(scan, each));
            known.remove(part.start(), part.end());
            scan(scan, part, Kind.PRESENT, found);
        }
    }

    /**
     * Makes mappings ones that can be watched, by one call for all that lie between two of another
     * kind: what the process has mapped there since is in it as a whole. Were a part of a mapping
     * registered the kernel would make it two, which the process cannot know: its mremap(2) fails.
     *
     * @return those that can be taken
     */
    private synchronized List<PageRange> register(List<PageRange> fresh) throws IOException {
        List<PageRange> registered = new ArrayList<>();
        if (frozen) { // two mappings may become one, which must not happen while criu reads them
            return registered;
        }
        String maps = PrivateAreas.read(process); // once more: the scans took their time
        refused.retainAll(PrivateAreas.in(maps));
        for (PageRange stretch : PrivateAreas.stretches(maps, refused)) {
            List<PageRange> inside =
                    fresh.stream()
                            .filter(each -> each.start() >= stretch.start())
                            .filter(each -> each.end() <= stretch.end())
                            .toList();
            if (inside.isEmpty() || watch.register(stretch.start(), stretch.end())) {
                registered.addAll(inside);
                continue;
            }
            for (PageRange each : inside) { // there is a kind that cannot be watched
                if (watch.register(each.start(), each.end())) {
                    registered.add(each);
                } else {
                    refused.add(each);
                }
            }
        }
        return registered;
    }

    private void take(PageScan scan, PageRange part) {
        if (watch.clear(part.start(), part.end())) {
            ours.add(part);
            scan(scan, part, Kind.WRITTEN_AND_RESET, new PageSet());
        }
    }

    @Override
    public synchronized void freeze() {
        frozen = true;
    }

    @Override
    public synchronized void thaw() {
        frozen = false;
    }

    @Override
    public PageSet keepUnwritten(PageSet known) throws IOException {
        PageSet written = new PageSet();
        List<PageRange> trusted = new ArrayList<>();
        try (PageScan scan = PageScan.of(process)) {
            for (PageRange area : PrivateAreas.of(process)) {
                trusted.addAll(look(scan, area, written));
            }
        }
        known.retainAll(trusted);
        known.removeAll(written);
        return written;
    }

    @Override
    public boolean isQuick() {
        return true;
    }

    @Override
    public Optional<PageSet> foreseen() throws IOException {
        PageSet written = new PageSet();
        try (PageScan scan = PageScan.of(process)) {
            for (PageRange area : PrivateAreas.of(process)) {
                List<PageRange> other = new ArrayList<>(ours.notIn(area));
                other.addAll(ours.in(area));
                other.removeAll(look(scan, area, written));
                other.forEach(part -> scan(scan, part, Kind.PRESENT, written));
            }
        }
        return Optional.of(written);
    }

    /**
     * Looks without resetting anything.
     *
     * @param written gets what was written
     * @return the parts of the area of which that could be told
     */
    private List<PageRange> look(PageScan scan, PageRange area, PageSet written) {
        return ours.in(area).stream()
                .filter(part -> written(scan, part, Kind.WRITTEN, written))
                .toList();
    }

    /** Looks only where something may be found. */
    private static boolean written(PageScan scan, PageRange part, Kind kind, PageSet into) {
        Deque<PageRange> spans = new ArrayDeque<>();
        try {
            scan.<RuntimeException>scan(
                    part.start(),
                    part.end(),
                    Kind.UNPROTECTED,
                    (start, end) -> {
                        PageRange last = spans.peekLast();
                        boolean near = last != null && start - last.end() < NEAR_BYTES;
                        spans.addLast(
                                new PageRange(near ? spans.removeLast().start() : start, end));
                    });
        } catch (IOException e) {
            return false;
        }
        return spans.stream().allMatch(span -> scan(scan, span, kind, into));
    }

    @Override
    public void sent(List<PageRange> places, ByteBuffer pages) {
        // the kernel knows since when
    }

    /** Returns false if not all of the area is protected, or it is gone. */
    private static boolean scan(PageScan scan, PageRange area, Kind kind, PageSet into) {
        try {
            scan.<RuntimeException>scan(area.start(), area.end(), kind, into::add);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public void orBlind() throws IOException {
        orBlind(process);
    }

    private static void orBlind(Proc process) throws IOException {
        String by = DeviceWrites.of(process).orElse("");
        if (!by.isEmpty()) {
            throw new IOException("what is written through " + by + " would not be seen");
        }
    }

    @Override
    public void close() {
        watch.close();
    }

    /** What was huge pages and is there as a whole becomes huge pages again. */
    @Override
    public void mend() {
        try {
            HugePages.make(process, held, huge, System.nanoTime() + Long.MAX_VALUE);
        } catch (IOException e) {
            // it has ended, as after each move
        }
    }
}
