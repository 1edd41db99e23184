package io.migrator.migration;

import io.migrator.criu.DeathSignals;
import io.migrator.criu.ExpiredTimers;
import io.migrator.fault.FaultPoint;
import io.migrator.files.RunDirectory;
import io.migrator.instance.ProcessTree;
import io.migrator.memory.HiddenPages;
import io.migrator.memory.ImageFeed;
import io.migrator.memory.PageFeed;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * From the seal to LOADED: all of a frozen job goes to the target, which restores it. One thread.
 */
record Loading(Target target, Progress progress, Cancellation cancellation) {
    /** The frozen job is sent and restored; returns how many bytes of pages that were. */
    long load(FrozenSource source, ImageFeed feed, Path images, @Nullable RunDirectory carried)
            throws Problem, InterruptedException, IOException {
        FaultPoint.SOURCE_SEALED.reached();
        source.awaitPacked();
        ProcessTree frozen = source.tree();
        ExpiredTimers.arm(images);
        for (ProcessTree.Member root : frozen.roots()) {
            DeathSignals.clear(images, root.threads());
        }
        feed.complete();
        long pageBytes;
        HiddenPages pages = HiddenPages.of(images);
        try (PageFeed memory = new PageFeed(frozen, target.sink(), progress(pages.bytes()))) {
            LockChecks.orTaken(images, frozen, carried);
            feed.finish();
            FaultPoint.SOURCE_IMAGES_SENT.reached();
            target.restore(source.pairs());
            pageBytes = memory.send(pages);
        }
        target.load(pageBytes);
        FaultPoint.SOURCE_LOADED.reached();
        return pageBytes;
    }

    private PageFeed.Progress progress(long allBytes) {
        AtomicBoolean early = new AtomicBoolean(true);
        return sentBytes -> {
            if (sentBytes >= Target.EARLY_BYTES && early.getAndSet(false)) {
                target.awaitRestored();
            }
            progress.sent(sentBytes, allBytes);
            cancellation.orStop();
            if (2 * sentBytes >= allBytes) {
                FaultPoint.SOURCE_PAGING.reached();
            }
        };
    }
}
