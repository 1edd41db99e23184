package io.migrator.memory;

import io.migrator.linux.PageScan;
import io.migrator.linux.PageScan.Kind;
import io.migrator.linux.Proc;
import io.migrator.linux.WriteWatch;

import java.io.IOException;
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
    private final Proc process;
    private final WriteWatch watch;

    /**
     * Ranges that this protected, starts and ends: a child that shares its parent's memory until it
     * executes a program must not reset what the parent's tracker looks for.
     */
    private final TreeMap<Long, Long> ours = new TreeMap<>();

    private WriteProtection(Proc process, WriteWatch watch) {
        this.process = process;
        this.watch = watch;
    }

    /**
     * Begins; the first thread of the process stands still for about a millisecond.
     *
     * @throws IOException if this process cannot be watched so
     */
    static WriteProtection of(Proc process) throws IOException {
        return new WriteProtection(process, WriteWatch.of(process));
    }

    @Override
    public PageSet written(PageSet known) throws IOException {
        PageSet found = new PageSet();
        try (PageScan scan = PageScan.of(process)) { // of what it executes now
            for (PageRange area : PrivateAreas.of(process)) {
                if (!isOurs(area) || !scan(scan, area, Kind.WRITTEN_AND_RESET, found)) {
                    known.remove(area.start(), area.end()); // a scan that fails has reset some
                    protect(scan, area);
                    scan(scan, area, Kind.PRESENT, found);
                }
            }
        }
        known.removeAll(found);
        return found;
    }

    private void protect(PageScan scan, PageRange area) {
        if (watch.add(area.start(), area.end())) {
            add(area);
            scan(scan, area, Kind.WRITTEN_AND_RESET, new PageSet());
        }
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

    @Override
    public void close() {
        watch.close();
    }
}
