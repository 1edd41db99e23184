package io.migrator.migration;

import io.migrator.criu.CriuSession;
import io.migrator.criu.MemoryMap;
import io.migrator.fault.FaultPoint;
import io.migrator.instance.ProcessTree;
import io.migrator.memory.HeldTree;
import io.migrator.memory.HiddenPages;
import io.migrator.memory.ImageFeed;
import io.migrator.memory.Inherited;
import io.migrator.memory.JobPages;
import io.migrator.memory.PageFeed;
import io.migrator.memory.PageRange;
import io.migrator.memory.PreCopy;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * From the seal to LOADED: all of a frozen job goes to the target, which restores it. One thread.
 */
final class Loading implements AutoCloseable {

    /** So much is sent before the job runs though it could come later. */
    private static final long EARLY_BYTES = 128 << 10;

    private static final int REHEARSED = 20;
    private static final long REHEARSED_BYTES = 4L << 20;

    /**
     * Of the job's files.
     *
     * @param goes says of a path whether its file goes along
     * @param place brings them to their places
     */
    record CarriedFiles(Predicate<String> goes, CriuSession.Step place) {}

    private record Part(int pid, PageRange place, long bytes) {}

    /**
     * What was loaded.
     *
     * @param pageBytes of the job
     * @param inheritedBytes of it that children have of their parents
     * @param late pages that follow, already on their way; null if there are none
     */
    record Loaded(long pageBytes, long inheritedBytes, @Nullable Following late) {
        long lateBytes() {
            return late == null ? 0 : late.bytes();
        }
    }

    private final Target target;
    private final Progress progress;
    private final Cancellation cancellation;
    private final Steps steps;

    /** Made before the freeze, as new memory is slow when it is used first. */
    private final PageFeed memory;

    private long allBytes;

    Loading(Target target, Progress progress, Cancellation cancellation, Steps steps) {
        this.steps = steps;
        this.target = target;
        this.progress = progress;
        this.cancellation = cancellation;
        this.memory = new PageFeed(target.sink(), this::sent);
    }

    /** The frozen job is sent and restored. */
    Loaded load(FrozenSource source, ImageFeed feed, Path images, CarriedFiles files)
            throws Problem, InterruptedException, IOException {
        FaultPoint.SOURCE_SEALED.reached();
        source.awaitCorrected();
        ProcessTree frozen = source.tree();
        feed.complete();
        LockChecks.orTaken(images, frozen, files.goes());
        JobPages pages = HiddenPages.of(images).all(Long.MAX_VALUE);
        long pageBytes = pages.bytes();
        boolean alone = frozen.members().size() == 1;
        JobPages all = alone ? pages : pages.copy(); // a large job has a long list
        Map<Integer, MemoryMap> maps = alone ? Map.of() : MemoryMap.all(images);
        PreCopy.Copied copied = source.copied();
        Inherited inherited =
                alone
                        ? Inherited.none()
                        : Inherited.of(copied.inherited(), images, maps).possible(all);
        copied.sent().removeAll(copied.inherited());
        pages.removeAll(copied.sent());
        pages.removeAll(inherited.pages());
        JobPages late = new JobPages();
        if (pages.bytes() > source.mostBytes()) {
            if (alone) {
                all = HiddenPages.of(images).all(Long.MAX_VALUE);
                maps = MemoryMap.all(images);
            }
            late = inherited.independent(late(pages, all, maps));
        } else if (!alone) { // what others inherit cannot come late
            inherited = inherited.and(pages, all, frozen);
            pages.removeAll(inherited.pages());
        }
        pages.removeAll(late);
        try (Steps.Begun _ = steps.begin("images")) {
            feed.finish();
            files.place().run();
            list(inherited.pages(), HiddenPages.inherited(images), feed);
            list(late, HiddenPages.late(images), feed);
            FaultPoint.SOURCE_IMAGES_SENT.reached();
        }
        try (Steps.Begun _ = steps.begin("pages")) {
            send(pages, frozen); // before criu goes on: what it has comes into place at once
        }
        Following following =
                late.bytes() > 0 ? Following.of(target, frozen, late, progress) : null;
        boolean loaded = false;
        try {
            if (following != null) {
                target.wanting(following::wanted);
            }
            target.restore(source.pairs());
            if (following != null) {
                following.begin();
            }

            try (Steps.Begun _ = steps.begin("target restores")) {
                target.load(pageBytes);
            }
            loaded = true;
        } finally {
            if (!loaded && following != null) {
                following.close();
            }
        }
        FaultPoint.SOURCE_LOADED.reached();
        return new Loaded(pageBytes, inherited.pages().bytes(), following);
    }

    private static void list(JobPages pages, HiddenPages list, ImageFeed feed)
            throws IOException, Problem, InterruptedException {
        if (pages.bytes() > 0) {
            list.write(pages);
            feed.add(list.file());
        }
    }

    /** Chooses among a few pages; what a JVM does for the first time takes long. */
    static void rehearse(Path scratch) throws IOException {
        JobPages some = new JobPages();
        List<MemoryMap.Area> areas = new ArrayList<>();
        for (long each = 1; each <= REHEARSED; each++) {
            long start = each * REHEARSED_BYTES;
            areas.add(MemoryMap.Area.plain(start, start + REHEARSED_BYTES));
            some.add(1, start, start + REHEARSED_BYTES / 2);
        }
        HiddenPages list = HiddenPages.late(scratch);
        list.write(late(some, some, Map.of(1, new MemoryMap(areas))));
        Files.delete(list.file());
        MemoryMap.rehearse(scratch);
    }

    /**
     * Of what is still to be sent all that can come late, but for some of the mappings with the
     * least: a program's first steps need its stacks and variables.
     */
    static JobPages late(JobPages pages, JobPages all, Map<Integer, MemoryMap> maps) {
        JobPages left = pages.copy();
        left.fillUp(all);
        List<Part> parts = new ArrayList<>();
        maps.forEach((pid, map) ->
                map.areas().stream()
                        .filter(MemoryMap.Area::canBeLate)
                        .forEach(area -> {
                            PageRange place = new PageRange(area.start(), area.end());
                            JobPages some = new JobPages();
                            some.addAll(pid, left, place);
                            parts.add(new Part(pid, place, some.bytes()));
                        }));
        parts.sort(Comparator.comparingLong(Part::bytes));
        JobPages late = new JobPages();
        long early = 0;
        for (Part each : parts) {
            early += each.bytes;
            if (early > EARLY_BYTES) {
                late.addAll(each.pid, left, each.place);
            }
        }
        return late;
    }

    private void send(JobPages pages, ProcessTree frozen)
            throws Problem, InterruptedException, IOException {
        allBytes = pages.bytes();
        sent(0);
        if (allBytes > 0) {
            try (HeldTree held = new HeldTree(frozen)) { // which is still all there
                memory.send(held, pages);
            }
        }
    }

    private void sent(long sentBytes) throws Problem, InterruptedException {
        progress.sent(sentBytes, allBytes);
        cancellation.orStop();
        if (2 * sentBytes >= allBytes) {
            FaultPoint.SOURCE_PAGING.reached();
        }
    }

    @Override
    public void close() {
        memory.close();
    }
}
