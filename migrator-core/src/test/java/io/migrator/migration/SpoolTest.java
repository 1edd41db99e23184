package io.migrator.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.handover.Journal;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

class SpoolTest {
    private final String id = "unittest" + ProcessHandle.current().pid();

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "../x", "a/b", "/tmp", "A", "a b", "a\n", "-x", "é"})
    void whatDoesNotNameAMigrationIsRefused(String hostile) {
        for (Executable use :
                new Executable[] {
                    () -> Spool.create(hostile),
                    () -> Spool.find(hostile),
                    () -> Spool.journal(hostile)
                }) {
            Problem refusal = assertThrows(Problem.class, use);
            assertEquals(ExitCode.USAGE, refusal.exitCode());
        }
    }

    @Test
    void onlyItsOwnerSeesIntoItAndNothingStays() throws Problem, IOException {
        Path directory;
        try (Spool spool = Spool.create(id)) {
            directory = spool.directory();
            assertTrue(directory.startsWith("/dev/shm"), directory.toString());
            assertEquals(
                    PosixFilePermissions.fromString("rwx------"),
                    Files.getPosixFilePermissions(directory));
            assertEquals(directory, Spool.find(id).orElseThrow().directory());
            Files.createDirectories(directory.resolve("a/b"));
            Files.writeString(directory.resolve("a/b/pages-1.img"), "secret");
        }
        assertFalse(Files.exists(directory));
        assertEquals(Optional.empty(), Spool.find(id));
    }

    @Test
    void aSpoolIsNotGivenToTwo() throws Problem, IOException {
        try (Spool first = Spool.create(id)) {
            assertThrows(Problem.class, () -> Spool.create(id), first.directory().toString());
        }
    }

    /**
     * Two migrations at once, of which each is the last and the first again and again (seen in CI).
     */
    @Test
    void othersComeAndGo() throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<?>> all = new ArrayList<>();
            for (int each = 0; each < 4; each++) {
                String mine = id + "n" + each;
                all.add(threads.submit(() -> comeAndGo(mine)));
            }
            for (Future<?> each : all) {
                each.get();
            }
        }
    }

    private static @Nullable Void comeAndGo(String id) throws Problem, IOException {
        for (int turn = 0; turn < 300; turn++) {
            Journal journal = Spool.journal(id);
            Spool.create(id).close();
            journal.delete();
            journal.close();
        }
        return null;
    }
}
