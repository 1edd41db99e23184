package io.migrator.memory;

import io.migrator.linux.PageScan;
import io.migrator.linux.PageScan.Kind;
import io.migrator.linux.Proc;
import io.migrator.linux.WriteWatch;

import java.io.IOException;

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

    private WriteProtection(Proc process, WriteWatch watch) {
        this.process = process;
        this.watch = watch;
    }

    /**
     * Begins; the first thread of the process stands still for less than a millisecond. For a
     * platform thread.
     *
     * @throws IOException if this process cannot be watched so
     */
    static WriteProtection of(Proc process) throws IOException {
        return new WriteProtection(process, WriteWatch.of(process));
    }

    @Override
    public PageSet written() throws IOException {
        PageSet found = new PageSet();
        try (PageScan scan = PageScan.of(process)) { // of what it executes now
            for (PageRange area : PrivateAreas.of(process)) {
                if (!scan(scan, area, Kind.WRITTEN_AND_RESET, found)
                        && watch.add(area.start(), area.end())
                        && scan(scan, area, Kind.WRITTEN_AND_RESET, new PageSet())) {
                    scan(scan, area, Kind.PRESENT, found);
                }
            }
        }
        return found;
    }

    @Override
    public PageSet unwritten() throws IOException {
        PageSet found = new PageSet();
        try (PageScan scan = PageScan.of(process)) {
            for (PageRange area : PrivateAreas.of(process)) {
                PageSet written = new PageSet();
                if (scan(scan, area, Kind.WRITTEN, written)) {
                    found.add(area.start(), area.end());
                    found.removeAll(written);
                }
            }
        }
        return found;
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
