package io.migrator.memory;

import io.migrator.instance.ProcessTree;
import io.migrator.linux.PageScan;
import io.migrator.linux.PageScan.Kind;
import io.migrator.linux.PidFd;
import io.migrator.linux.Proc;

import java.io.IOException;
import java.time.Duration;

/** Small pages become huge ones again. */
public final class HugePages {
    private HugePages() {}

    /**
     * Of a job that runs, where the kernel allows it: blocks of 2 MB that are there as a whole.
     *
     * @param among these pages
     * @param longest after this time the rest is left to the kernel (khugepaged)
     */
    public static void make(ProcessTree tree, JobPages among, Duration longest) {
        long end = System.nanoTime() + longest.toNanos();
        for (ProcessTree.Member member : tree.members()) {
            Proc process = member.process();
            try (PidFd held = PidFd.open(process.pid())) {
                if (process.innerPid() == member.pid()) {
                    make(process, held, among.of(member.pid()), end);
                }
            } catch (IOException e) {
                // it has ended
            }
        }
    }

    /**
     * Of one process.
     *
     * @param held the same
     * @param endNanos when to leave it ({@link System#nanoTime})
     */
    static void make(Proc process, PidFd held, PageSet among, long endNanos) throws IOException {
        PageSet there = new PageSet();
        try (PageScan scan = PageScan.of(process)) {
            for (PageRange area : PrivateAreas.of(process)) {
                scan.<RuntimeException>scan(area.start(), area.end(), Kind.PRESENT, there::add);
            }
        }
        there.retainAll(among);
        for (PageRange block : there.fullBlocks()) {
            if (System.nanoTime() - endNanos > 0) {
                return;
            }
            held.collapse(block.start(), block.end());
        }
    }
}
