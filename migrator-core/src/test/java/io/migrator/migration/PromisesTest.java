package io.migrator.migration;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.handover.Journal;
import io.migrator.handover.TargetJournal;
import io.migrator.handover.TargetJournal.Promise;
import io.migrator.handover.Token;
import io.migrator.network.NetworkPlan;
import io.migrator.problem.Problem;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

class PromisesTest {
    private static final Promise HUGE = Promise.of(1L << 46);
    private static final Promise MINE = Promise.of(1).at(100);

    @TempDir private Path home;
    private Path journals;
    private Journal file;
    private TargetJournal other;

    @BeforeEach
    void promiseAnother() throws Exception {
        journals = home.resolve("migrator-me").resolve("journal");
        file = Journal.create(journals, "m1");
        other =
                TargetJournal.begin(
                        file,
                        new Journal.Head(Journal.Role.TARGET, "m1", Token.fresh(), "aa-1", "bb-2"),
                        TargetJournal.Note.of("one", false, false, NetworkPlan.NONE, HUGE));
    }

    @AfterEach
    void close() {
        file.close();
    }

    private void give(long when) throws Problem {
        other.note(other.note().with(HUGE.at(when)));
    }

    private void ask() throws Problem, InterruptedException {
        new Promises(journals).orTooMany("m2", MINE);
    }

    @Test
    void whoComesLaterYields() throws Exception {
        give(101);
        ask();
        give(99);
        Problem refused = assertThrows(Problem.class, this::ask);
        assertTrue(refused.getMessage().contains("no room beside others"), refused::getMessage);
    }

    /** Else each of two would take the other for an earlier one, and neither would go. */
    @Test
    void whatIsBeingGivenIsAwaited() throws Exception {
        FutureTask<Void> asked =
                new FutureTask<>(() -> {
                    ask();
                    return null;
                });
        Thread.ofPlatform().start(asked);
        assertThrows(TimeoutException.class, () -> asked.get(100, TimeUnit.MILLISECONDS));
        give(101);
        asked.get();
    }
}
