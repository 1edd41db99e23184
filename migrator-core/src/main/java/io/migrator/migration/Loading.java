package io.migrator.migration;

import io.migrator.fault.FaultPoint;
import io.migrator.files.RunDirectory;
import io.migrator.instance.ProcessTree;
import io.migrator.memory.HeldTree;
import io.migrator.memory.HiddenPages;
import io.migrator.memory.ImageFeed;
import io.migrator.memory.JobPages;
import io.migrator.memory.PageFeed;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Path;

/**
 * From the seal to LOADED: all of a frozen job goes to the target, which restores it. One thread.
 */
record Loading(Target target, Progress progress, Cancellation cancellation) {
    /** The frozen job is sent and restored; returns how many bytes of pages that were. */
    long load(FrozenSource source, ImageFeed feed, Path images, @Nullable RunDirectory carried)
            throws Problem, InterruptedException, IOException {
        FaultPoint.SOURCE_SEALED.reached();
        source.awaitCorrected();
        ProcessTree frozen = source.tree();
        feed.complete();
        LockChecks.orTaken(images, frozen, carried);
        JobPages pages = HiddenPages.of(images).all(Long.MAX_VALUE);
        long pageBytes = pages.bytes();
        pages.removeAll(source.unchanged());
        feed.finish();
        FaultPoint.SOURCE_IMAGES_SENT.reached();
        send(pages, frozen); // before criu goes on: what it has comes into place at once
        target.restore(source.pairs());
        target.load(pageBytes);
        FaultPoint.SOURCE_LOADED.reached();
        return pageBytes;
    }

    private void send(JobPages pages, ProcessTree frozen)
            throws Problem, InterruptedException, IOException {
        PageFeed.Progress each = progress(pages.bytes());
        each.sent(0);
        try (HeldTree held = new HeldTree(frozen)) { // which is still all there
            if (pages.bytes() > 0) {
                try (PageFeed memory = new PageFeed(target.sink(), each)) {
                    memory.send(held, pages);
                }
            }
        }
    }

    private PageFeed.Progress progress(long allBytes) {
        return sentBytes -> {
            progress.sent(sentBytes, allBytes);
            cancellation.orStop();
            if (2 * sentBytes >= allBytes) {
                FaultPoint.SOURCE_PAGING.reached();
            }
        };
    }
}
