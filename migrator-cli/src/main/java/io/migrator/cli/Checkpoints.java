package io.migrator.cli;

import io.migrator.archive.ArchiveHead;
import io.migrator.archive.ArchiveNode;
import io.migrator.archive.ArchiveShelf;
import io.migrator.archive.ArchiveTarget;
import io.migrator.instance.Instance;
import io.migrator.instance.Instances;
import io.migrator.instance.ProcessTree;
import io.migrator.migration.MemoryWish;
import io.migrator.migration.Migration;
import io.migrator.migration.Outcome;
import io.migrator.migration.Series;
import io.migrator.problem.Problem;
import io.migrator.wire.Compression;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * A job is kept again and again until it ends or somebody asks to stop. An archive has what changed
 * since the one before, until these have become as large as one that has all. Run by one thread.
 */
final class Checkpoints {
    /** More of them are slow to restore, and each can be damaged. */
    private static final int MOST_LINKS = 50;

    private static final double NANOS_PER_MILLI = 1e6;

    private final Instance instance;
    private final ArchiveShelf shelf;
    private final Wishes.Told wishes;
    private final Compression compression;
    private final Duration every;
    private final Duration timeLimit;
    private final Consumer<Outcome> report;
    private final Series series = new Series();
    private ArchiveHead.@Nullable Parent newest;
    private long wholeBytes;
    private long changedBytes;
    private int links;
    private boolean stopped;
    private @Nullable Migration current;

    /**
     * Of a job that runs.
     *
     * @param report told of each archive
     */
    Checkpoints(
            Instance instance,
            ArchiveShelf shelf,
            Wishes.Told wishes,
            Compression compression,
            Duration every,
            Duration timeLimit,
            Consumer<Outcome> report) {
        this.instance = instance;
        this.shelf = shelf;
        this.wishes = wishes;
        this.compression = compression;
        this.every = every;
        this.timeLimit = timeLimit;
        this.report = report;
    }

    /**
     * Keeps it until it ends.
     *
     * @throws Problem if the first archive could not be made
     */
    void run() throws Problem, InterruptedException {
        Interruption.calls(this::stop);
        boolean any = false;
        try (series;
                TerminalProgress progress = new TerminalProgress()) {
            long begun = System.nanoTime();
            while (!isStopped()) {
                begun = System.nanoTime();
                try {
                    one(progress);
                    any = true;
                } catch (Problem e) {
                    if (isStopped() || hasEnded()) {
                        break;
                    }
                    if (!any) {
                        throw e;
                    }
                    progress.warning("no archive this time: " + e.getMessage());
                }
                await(begun + every.toNanos());
            }
        }
        Terminal.err(
                isStopped()
                        ? "'" + instance.name() + "' runs on; it is not kept any more"
                        : "'" + instance.name() + "' has ended");
    }

    private void one(TerminalProgress progress) throws Problem, InterruptedException {
        Path file = shelf.next();
        boolean stops = wishes.memory().way() == MemoryWish.Way.STOP; // nothing is watched
        if (stops || changedBytes > wholeBytes || links >= MOST_LINKS) {
            series.beginAnew();
        }
        boolean whole = !series.buildsOnOthers();
        ArchiveHead.Parent parent = whole ? null : newest;
        try (ArchiveTarget target =
                new ArchiveTarget(file, false, parent, Version.text(), compression)) {
            Migration migration =
                    wishes.on(
                                    new Migration(
                                            instance,
                                            target,
                                            new ArchiveNode(file),
                                            progress,
                                            timeLimit))
                            .in(series);
            begin(migration);
            Outcome outcome = migration.checkpoint(true);
            newest = target.asParent();
            wholeBytes = whole ? outcome.sentBytes() : wholeBytes;
            changedBytes = whole ? 0 : changedBytes + outcome.sentBytes();
            links = whole ? 0 : links + 1;
            report.accept(outcome);
        }
        shelf.put(file);
    }

    private synchronized void begin(Migration migration) {
        current = migration;
        if (stopped) {
            migration.cancel();
        }
    }

    private synchronized boolean isStopped() {
        return stopped;
    }

    private synchronized void stop() {
        stopped = true;
        if (current != null) {
            current.cancel();
        }
        notifyAll();
    }

    private synchronized void await(long nanoTime) throws InterruptedException {
        long left = nanoTime - System.nanoTime();
        while (!stopped && left > 0) {
            wait((long) Math.ceil(left / NANOS_PER_MILLI));
            left = nanoTime - System.nanoTime();
        }
    }

    /** Whether its processes are gone, be there another instance of that name or not. */
    private boolean hasEnded() throws Problem {
        boolean there =
                Instances.ofThisUser()
                        .find(instance.name())
                        .filter(now -> now.startTime() == instance.startTime())
                        .isPresent();
        return !there || ProcessTree.of(instance).members().isEmpty();
    }
}
