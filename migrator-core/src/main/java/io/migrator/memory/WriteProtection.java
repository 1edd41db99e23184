package io.migrator.memory;

import io.migrator.linux.PageScan;
import io.migrator.linux.PageScan.Kind;
import io.migrator.linux.PidFd;
import io.migrator.linux.Proc;
import io.migrator.linux.WriteWatch;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Asynchronous write protection by userfaultfd, taken out of the process (facts: memory.md, section
 * 3). A mapping that is new, was moved or grew is not protected, and a process that executes
 * another program has none that is: the kernel then refuses the scan, and all pages count as
 * written.
 *
 * <p>Not seen is what a device writes into pages that it was given before (DMA); {@link PreCopy}
 * leaves processes alone that have such.
 */
final class WriteProtection implements WriteTracker {
    /** So often mappings are looked at again that came while others were taken. */
    private static final int LOOKS = 3;

    private final Proc process;
    private final PidFd held;
    private final WriteWatch watch;

    /** What was huge pages; protecting them splits those that are written. */
    private final PageSet huge = new PageSet();

    /**
     * Ranges that this protected, starts and ends: a child that shares its parent's memory until it
     * executes a program must not reset what the parent's tracker looks for.
     */
    private final TreeMap<Long, Long> ours = new TreeMap<>();

    private WriteProtection(Proc process, PidFd held, WriteWatch watch) {
        this.process = process;
        this.held = held;
        this.watch = watch;
    }

    /**
     * Begins; the first thread of the process stands still for about a millisecond.
     *
     * @param held the same process; to be closed later than this
     * @throws IOException if this process cannot be watched so
     */
    static WriteProtection of(Proc process, PidFd held) throws IOException {
        WriteProtection made = new WriteProtection(process, held, WriteWatch.of(process));
        try (PageScan scan = PageScan.of(process)) {
            for (PageRange area : PrivateAreas.of(process)) {
                scan(scan, area, Kind.HUGE, made.huge);
            }
        }
        return made;
    }

    @Override
    public PageSet written(PageSet known) throws IOException {
        PageSet found = new PageSet();
        boolean took = false;
        try (PageScan scan = PageScan.of(process)) { // of what it executes now
            for (PageRange area : PrivateAreas.of(process)) {
                if (!isOurs(area) || !scan(scan, area, Kind.WRITTEN_AND_RESET, found)) {
                    known.remove(area.start(), area.end()); // a scan that fails has reset some
                    took |= protect(scan, area);
                    scan(scan, area, Kind.PRESENT, found);
                }
            }
        }
        for (int look = 0; took && look < LOOKS; look++) {
            took = join();
        }
        known.removeAll(found);
        return found;
    }

    private boolean protect(PageScan scan, PageRange area) {
        if (!watch.add(area.start(), area.end())) {
            return false;
        }
        add(area);
        scan(scan, area, Kind.WRITTEN_AND_RESET, new PageSet());
        return true;
    }

    /**
     * Between the look at the mappings and their being taken the process may have replaced some: of
     * one that was not there then a part may have been taken, so that it is two now, which the
     * process cannot know, and its mremap(2) fails. It is made one again; the next call takes it as
     * new.
     *
     * @return true if there was such a one
     */
    private boolean join() throws IOException {
        boolean any = false;
        for (PageRange area : PrivateAreas.of(process)) {
            any |= !isOurs(area) && watch.register(area.start(), area.end());
        }
        return any;
    }

    @Override
    public void keepUnwritten(PageSet known) throws IOException {
        PageSet trusted = new PageSet();
        PageSet written = new PageSet();
        try (PageScan scan = PageScan.of(process)) {
            for (PageRange area : PrivateAreas.of(process)) {
                if (isOurs(area) && scan(scan, area, Kind.WRITTEN, written)) {
                    trusted.addAll(known, area);
                }
            }
        }
        known.retainAll(trusted);
        known.removeAll(written);
    }

    @Override
    public void sent(List<PageRange> places, ByteBuffer pages) {
        // the kernel knows since when
    }

    private boolean isOurs(PageRange area) {
        Map.Entry<Long, Long> found = ours.floorEntry(area.start());
        return found != null && found.getValue() >= area.end();
    }

    /** Neighbours become one, as the kernel makes one mapping of them. */
    private void add(PageRange area) {
        long start = area.start();
        long end = area.end();
        Map.Entry<Long, Long> before = ours.floorEntry(end);
        while (before != null && before.getValue() >= start) {
            start = Math.min(start, before.getKey());
            end = Math.max(end, before.getValue());
            ours.remove(before.getKey());
            before = ours.floorEntry(end);
        }
        ours.put(start, end);
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

    /** Ends the watch; if the process runs on here its huge pages become what they were. */
    @Override
    public void close() {
        watch.close();
        huge.ranges().forEach(range -> held.collapse(range.start(), range.end()));
    }
}
