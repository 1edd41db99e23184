package io.migrator.migration;

import io.migrator.handover.Handover.Target;
import io.migrator.handover.Handover.TargetEvent;
import io.migrator.handover.Journal;
import io.migrator.handover.SourceJournal;
import io.migrator.handover.TargetJournal;
import io.migrator.migration.SourceSide.Came;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * Finishes or undoes what crashes left on this node, migration by migration: the only actor beside
 * the live migration itself. May be run at any time, again, on both nodes at once. One thread.
 */
public final class Recovery {
    /** How long a node remembers what it said of a migration. */
    private static final Duration REMEMBERED = Duration.ofDays(7);

    /** No spool is without a journal for more than seconds while somebody needs it. */
    private static final Duration FORGOTTEN = Duration.ofHours(1);

    /** Finds the other node of a migration. */
    @FunctionalInterface
    public interface FarNodes {
        /** The node; no connection is made yet. */
        FarNode of(SourceJournal.Far far) throws Problem;
    }

    /**
     * What a person decided beforehand.
     *
     * @param takeBack id of the migration whose job is to run here again, or empty
     * @param takeOver id of the migration whose copy is to run here, or empty
     * @param dryRun true if nothing is to be changed
     */
    public record Choice(String takeBack, String takeOver, boolean dryRun) {}

    private final FarNodes farNodes;
    private final Consumer<String> report;

    /**
     * Recovery of this user's migrations.
     *
     * @param report told of what could not be done but stops nothing
     */
    public Recovery(FarNodes farNodes, Consumer<String> report) {
        this.farNodes = farNodes;
        this.report = report;
    }

    /** The ids of the migrations that this node knows, or has a frozen job of. */
    public static List<String> ids() throws Problem {
        try {
            SortedSet<String> ids = new TreeSet<>(Spool.withCgroup());
            ids.addAll(Journal.ids(Spool.journals()));
            return List.copyOf(ids);
        } catch (IOException e) {
            throw Problem.failed("the journals cannot be read").because(e.toString());
        }
    }

    /** Settles each migration; one that cannot be settled does not stop the others. */
    public List<Settled> run(List<String> ids, Choice choice) throws InterruptedException {
        List<Settled> all = new ArrayList<>();
        if (!choice.dryRun) {
            removeForgotten(ids);
        }
        for (String id : ids) {
            try {
                one(id, choice).ifPresent(all::add);
            } catch (Problem e) {
                all.add(unsettled(id, e.getMessage(), e.tryThis()));
            } catch (IOException | RuntimeException e) {
                all.add(unsettled(id, "it could not be settled: " + e, "migrator recover"));
            }
        }
        return all;
    }

    /** A check needs a spool for a moment, before there is a journal; it may have been killed. */
    private void removeForgotten(List<String> known) {
        try {
            for (String id : Spool.olderThan(FORGOTTEN)) {
                Optional<Spool> spool = known.contains(id) ? Optional.empty() : Spool.find(id);
                if (spool.isPresent()) {
                    spool.get().close();
                }
            }
        } catch (IOException | Problem e) {
            report.accept("images that nobody knows could not be removed: " + e.getMessage());
        }
    }

    private Optional<Settled> one(String id, Choice choice)
            throws Problem, InterruptedException, IOException {
        if (choice.takeOver.equals(id)) {
            return Optional.of(new TakeOver(id).carryOut(choice.dryRun));
        }
        Optional<Journal> free;
        try {
            free = Spool.openJournal(id);
            if (free.isEmpty()) {
                return Optional.of(atWork(id));
            }
        } catch (NoSuchFileException e) {
            return Optional.empty(); // settled in the meantime, or about to begin
        }
        try (Journal file = free.get()) {
            return settled(id, file, choice);
        }
    }

    private Optional<Settled> settled(String id, Journal file, Choice choice)
            throws Problem, InterruptedException, IOException {
        if (!file.hasContents()) {
            return Spool.withCgroup().contains(id)
                    ? Optional.of(new Damaged(id, file, "it is gone").settled(choice))
                    : Optional.empty();
        }
        try {
            Journal.Head head = file.contents().head();
            if (!head.ownBoot().equals(NodeFacts.bootId())) {
                throw Problem.undecided("the journal is of another start of this node")
                        .tryThis("its processes are gone; delete " + file.file());
            }
            Instant changed = file.changed();
            if (head.role() == Journal.Role.TARGET) {
                return target(id, TargetJournal.read(file), changed, choice);
            }
            SourceJournal journal = SourceJournal.read(file);
            Settled settled = source(id, journal, choice);
            if (!choice.dryRun && isOld(changed) && journal.isOnlyToBeTold()) {
                journal.forget();
            }
            return Optional.of(settled);
        } catch (Journal.Unreadable e) {
            return Optional.of(new Damaged(id, file, e.getMessage()).settled(choice));
        }
    }

    private Settled source(String id, SourceJournal journal, Choice choice)
            throws Problem, InterruptedException, IOException {
        SourceJournal.Note note = journal.note();
        FarNode far = farNodes.of(note.far());
        SourceSide side = new SourceSide(journal, far, report);
        boolean takeBack = choice.takeBack.equals(id);
        boolean gone = side.instance() == null;
        Came came = choice.dryRun ? side.foreseen(takeBack) : side.settle(takeBack);
        String where =
                switch (came) {
                    case RUNS_HERE, RUNS_HERE_UNTOLD -> gone ? "nobody" : "here";
                    case RUNS_THERE, FILLS -> "there";
                    case RUNS_ON_BOTH -> "both";
                    case WAITS -> "unknown";
                };
        return new Settled(
                id,
                "source",
                note.instance(),
                note.state().name(),
                where,
                Words.isDecided(came),
                Words.ofSource(came, gone, note, choice.dryRun),
                Words.adviceForSource(came, id, note));
    }

    private static boolean isOld(Instant changed) {
        return changed.plus(REMEMBERED).isBefore(Instant.now());
    }

    /** A tombstone is not told of; one that is old enough is forgotten. */
    private Optional<Settled> target(
            String id, TargetJournal journal, Instant changed, Choice choice)
            throws Problem, InterruptedException, IOException {
        Target found = journal.state();
        boolean remembered = found == Target.RUNNING || found == Target.REFUSED;
        if (remembered) {
            boolean clean = !remains(journal).areLeft();
            boolean old = isOld(changed) || clean && isFromArchive(journal);
            if (old && !choice.dryRun) {
                journal.on(TargetEvent.SOURCE_DONE);
            }
            if (old || clean) {
                return Optional.empty();
            }
        }
        Target now = choice.dryRun ? foreseen(found) : givenUp(journal);
        return Optional.of(
                new Settled(
                        id,
                        "target",
                        journal.note().instance(),
                        found.name(),
                        holder(now),
                        !needsSource(now),
                        Words.ofTarget(found, now, choice.dryRun),
                        needsSource(now) ? "migrator recover on the node it came from" : ""));
    }

    /** An archive takes nothing back, and need not be told. */
    private Target givenUp(TargetJournal journal)
            throws Problem, InterruptedException, IOException {
        boolean alone = isFromArchive(journal);
        Target now = new TargetSide(report).giveUp(journal, alone);
        boolean over = now == Target.RUNNING || now == Target.REFUSED;
        if (alone && over && !remains(journal).areLeft()) {
            journal.on(TargetEvent.SOURCE_DONE);
        }
        return now;
    }

    private TargetRemains remains(TargetJournal journal) {
        return new TargetRemains(journal.head().id(), journal.note(), report);
    }

    private static boolean isFromArchive(TargetJournal journal) {
        return journal.head().sourceBoot().equals(Order.ARCHIVE);
    }

    private static boolean needsSource(Target now) {
        return now == Target.TAKEN || now == Target.FILLING;
    }

    /** A taken job may turn out to run or not: the words say so. */
    private static Target foreseen(Target found) {
        return found == Target.RUNNING || needsSource(found) ? found : Target.REFUSED;
    }

    private static String holder(Target now) {
        return switch (now) {
            case RUNNING, FILLING, TAKEN -> "here";
            case NONE, PREPARED, LOADED, REFUSED -> "there";
        };
    }

    private static Settled atWork(String id) throws Problem, IOException {
        Journal.Contents contents = Journal.peek(Spool.journals(), id);
        boolean isSource = contents.head().role() == Journal.Role.SOURCE;
        String instance;
        boolean complete = false;
        if (isSource) {
            instance = contents.body(SourceJournal.Note.class).instance();
        } else {
            TargetJournal.Note note = contents.body(TargetJournal.Note.class);
            instance = note.instance();
            complete = note.state() == Target.LOADED && !note.fills();
        }
        return new Settled(
                id,
                isSource ? "source" : "target",
                instance,
                "",
                "unknown",
                true,
                "a migration is at work on it"
                        + (complete ? ", with a complete copy here" : "")
                        + "; nothing was done",
                complete
                        ? "only if the node it comes from is dead: migrator recover --take-over "
                                + id
                        : "");
    }

    static Settled unsettled(String id, String text, String tryThis) {
        return new Settled(id, "", "", "", "unknown", false, text, tryThis);
    }
}
