package io.migrator.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

class UndoTest {
    private final List<String> done = new ArrayList<>();
    private final List<String> reported = new ArrayList<>();
    private final Undo undo = new Undo(reported::add);

    @Test
    void theNewestIsUndoneFirst() {
        undo.push("a", () -> done.add("a"));
        undo.push("b", () -> done.add("b"));
        undo.close();
        assertEquals(List.of("b", "a"), done);
        assertEquals(List.of(), reported);
    }

    @Test
    void aFailureIsReportedAndTheRestIsUndone() {
        undo.push("removing the images", () -> done.add("images"));
        undo.push(
                "stopping the instance",
                () -> {
                    throw new IOException("no answer");
                });
        undo.close();
        assertEquals(List.of("images"), done);
        assertEquals(List.of("stopping the instance: no answer"), reported);
    }

    @Test
    void whatWasCommittedStays() {
        undo.push("a", () -> done.add("a"));
        undo.commit();
        undo.push("b", () -> done.add("b"));
        undo.close();
        assertEquals(List.of("b"), done);
    }

    @Test
    void nothingIsUndoneTwice() {
        undo.push("a", () -> done.add("a"));
        undo.close();
        undo.close();
        assertEquals(List.of("a"), done);
    }

    /** A cancelled migration is undone by an interrupted thread, in steps that sleep and wait. */
    @Test
    void anInterruptDoesNotCutItShortAndIsKept() {
        undo.push(
                "waiting",
                () -> {
                    Thread.sleep(1);
                    done.add("waited");
                });
        Thread.currentThread().interrupt();
        undo.close();
        assertTrue(Thread.interrupted());
        assertEquals(List.of("waited"), done);
        assertEquals(List.of(), reported);
    }

    @Test
    void anInterruptWithinAStepIsKeptAndTheRestIsUndone() {
        undo.push("a", () -> done.add("a"));
        undo.push(
                "b",
                () -> {
                    throw new InterruptedException();
                });
        undo.close();
        assertTrue(Thread.interrupted());
        assertFalse(Thread.interrupted());
        assertEquals(List.of("a"), done);
        assertEquals(List.of("b was interrupted"), reported);
    }

    @Test
    void whatRemembersStaysIfSomethingFailed() {
        undo.pushIfWell("the journal", () -> done.add("journal"));
        undo.push("a", () -> done.add("a"));
        undo.push(
                "b",
                () -> {
                    throw new IOException("busy");
                });
        undo.close();
        assertEquals(List.of("a"), done);
        assertEquals(List.of("b: busy", "the journal is left to migrator recover"), reported);
        assertTrue(undo.failed());
    }

    @Test
    void whatRemembersGoesIfAllWentWell() {
        undo.pushIfWell("the journal", () -> done.add("journal"));
        undo.push("a", () -> done.add("a"));
        undo.close();
        assertEquals(List.of("a", "journal"), done);
        assertFalse(undo.failed());
    }
}
