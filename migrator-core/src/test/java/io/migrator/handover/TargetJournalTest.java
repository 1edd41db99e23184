package io.migrator.handover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.handover.Handover.Target;
import io.migrator.handover.Handover.TargetAction;
import io.migrator.handover.Handover.TargetEvent;
import io.migrator.network.NetworkPlan;
import io.migrator.problem.Problem;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

class TargetJournalTest {
    private static final Journal.Head HEAD =
            new Journal.Head(Journal.Role.TARGET, "m1", Token.fresh(), "aa-1", "bb-2");
    private static final Running KEEPER = new Running(4711, 12);

    @TempDir private Path home;
    private Path directory;
    private Journal file;

    @BeforeEach
    void create() throws IOException {
        directory = home.resolve("migrator-me").resolve("journal");
        file = Journal.create(directory, "m1");
    }

    @AfterEach
    void close() {
        file.close();
    }

    private TargetJournal taken() throws Problem {
        TargetJournal.Note note =
                TargetJournal.Note.of(
                        "one", false, false, NetworkPlan.NONE, new TargetJournal.Promise(0, 0));
        assertFalse(note.fills());
        assertEquals(Running.NONE, note.keeper());
        TargetJournal journal = TargetJournal.begin(file, HEAD, note);
        journal.note(journal.note().withFills(true));
        journal.on(TargetEvent.LOAD);
        journal.note(journal.note().withKeeper(KEEPER));
        journal.on(TargetEvent.GRANT);
        return journal;
    }

    private TargetJournal filling() throws Problem {
        TargetJournal journal = taken();
        assertEquals(TargetAction.NOTHING, journal.on(TargetEvent.RESUME_FILLING));
        return journal;
    }

    /** No draft of a journal can be written then. */
    private void breakFile() throws IOException {
        Files.createDirectory(directory.resolve("m1.new"));
    }

    @Test
    void whatIsToComeIsReadAgain() throws Exception {
        filling();
        TargetJournal.Note read = TargetJournal.read(file).note();
        assertEquals(Target.FILLING, read.state());
        assertTrue(read.fills());
        assertEquals(KEEPER, read.keeper());
        TargetJournal.Note more = read.with(new Running(1, 2)).withInstance(new Running(3, 4));
        assertTrue(more.fills());
        assertEquals(KEEPER, more.keeper());
    }

    /** As of every other part that is no object. */
    @Test
    void aNoteThatDoesNotSayWhetherItFillsIsNotRead() throws Exception {
        filling();
        Path path = directory.resolve("m1");
        String body = Files.readAllLines(path).get(1);
        assertThrows(
                Journal.Unreadable.class,
                () ->
                        new Journal.Contents(HEAD, body.replace(",\"fills\":true", ""))
                                .body(TargetJournal.Note.class));
    }

    @Test
    void whatIsFilledRuns() throws Exception {
        filling().on(TargetEvent.FILLED);
        assertEquals(Target.RUNNING, TargetJournal.read(file).state());
    }

    /** The source ends its tree by it; what still says FILLING is ended when the source is done. */
    @Test
    void thatAllMemoryIsThereMustBeWritten() throws Exception {
        TargetJournal journal = filling();
        breakFile();
        assertThrows(Problem.class, () -> journal.on(TargetEvent.FILLED));
        assertEquals(Target.FILLING, journal.state());
    }

    @Test
    void thatTheJobRunsCanBeFoundOutAgain() throws Exception {
        TargetJournal journal = taken();
        breakFile();
        journal.on(TargetEvent.RESUME_FILLING);
        assertEquals(Target.FILLING, journal.state());
        assertEquals(Target.TAKEN, TargetJournal.read(file).state());
    }

    /** The copy is ended first; no tombstone is left, for nobody will ask. */
    @Test
    void whatLacksMemoryIsEndedBeforeItIsForgotten() throws Exception {
        TargetJournal journal = filling();
        assertEquals(TargetAction.DISCARD, journal.on(TargetEvent.SOURCE_DONE));
        assertEquals(Target.FILLING, TargetJournal.read(file).state());
        journal.done();
        assertEquals(Target.NONE, journal.state());
        assertFalse(file.hasContents());
    }
}
