package io.migrator.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;

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
}
