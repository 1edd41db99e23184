package io.migrator.migration;

import io.migrator.handover.Handover.Target;
import io.migrator.handover.Journal;
import io.migrator.handover.TargetJournal;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;

/**
 * A person's decision that a complete copy is to run here although the token never came: for the
 * case that the source's node died just then. The receiver that holds the copy waits some minutes
 * for it; it finds the decision as a file beside its journal.
 *
 * @param id of the migration
 */
record TakeOver(String id) {
    /** How long a complete copy is kept for a source that fell silent. */
    static final Duration KEPT = Duration.ofMinutes(10);

    private static final Duration RUNS = Duration.ofSeconds(15);
    private static final long LOOK_MILLIS = 50;

    /** Where the decision lies: not among the images, whose names the source chooses. */
    private Path file() throws Problem {
        return Spool.journals().resolve(id + Journal.TAKE_OVER);
    }

    /** Waits for the decision. */
    boolean isDecided() throws Problem, InterruptedException {
        long end = System.nanoTime() + KEPT.toNanos();
        while (System.nanoTime() < end) {
            if (isFresh()) {
                return true;
            }
            TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
        }
        return false;
    }

    /** Who decided may have been killed before he could withdraw. */
    private boolean isFresh() throws Problem {
        try {
            Instant decided = Files.getLastModifiedTime(file()).toInstant();
            return decided.plus(RUNS).isAfter(Instant.now());
        } catch (IOException e) {
            return false; // nobody decided
        }
    }

    /** Decides, and waits until the receiver has done it. */
    Settled carryOut(boolean dryRun) throws Problem, InterruptedException, IOException {
        TargetJournal.Note note = note();
        boolean complete = note.state() == Target.LOADED && !note.fills();
        if (!complete || !note.receiver().alive()) {
            throw Problem.refused("there is no complete copy of the job to take over")
                    .because(
                            "the state here is "
                                    + note.state()
                                    + (note.fills() ? ", and some memory was to come later" : ""))
                    .tryThis("migrator recover");
        }
        if (!dryRun) {
            Files.write(file(), new byte[0]); // again is the same decision
            note = awaitRunning(note);
            Files.deleteIfExists(file()); // a source that falls silent later is another case
            if (note.state() != Target.RUNNING) {
                Thread.sleep(2 * LOOK_MILLIS); // the receiver may have seen it just then
                note = note();
            }
        }
        boolean runs = note.state() == Target.RUNNING;
        return new Settled(
                id,
                "target",
                note.instance(),
                Target.LOADED.name(),
                runs ? "here" : "unknown",
                runs || dryRun,
                runs
                        ? "the job runs here by your decision; never start the source's copy again"
                        : dryRun
                                ? "the copy would run here; if the source's node lives, its copy"
                                        + " may run too"
                                : note.state() == Target.TAKEN
                                        ? "taken over, but the job does not run yet"
                                        : "not taken over: the source is not silent",
                runs || dryRun ? "" : "migrator recover");
    }

    private TargetJournal.Note awaitRunning(TargetJournal.Note begun)
            throws Problem, InterruptedException, IOException {
        TargetJournal.Note note = begun;
        long end = System.nanoTime() + RUNS.toNanos();
        while (note.state() != Target.RUNNING && System.nanoTime() < end) {
            Thread.sleep(LOOK_MILLIS);
            note = note();
        }
        return note;
    }

    private TargetJournal.Note note() throws Problem, IOException {
        try {
            Journal.Contents contents = Journal.peek(Spool.journals(), id);
            if (contents.head().role() != Journal.Role.TARGET) {
                throw Problem.usage("this node is the source of that migration")
                        .tryThis("migrator recover, or --take-back");
            }
            return contents.body(TargetJournal.Note.class);
        } catch (NoSuchFileException e) {
            throw Problem.usage("this node knows no migration '" + id + "'");
        }
    }
}
