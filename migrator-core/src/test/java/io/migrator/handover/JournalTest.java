package io.migrator.handover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

class JournalTest {
    private static final Journal.Head HEAD =
            new Journal.Head(Journal.Role.SOURCE, "m1", Token.fresh(), "aa-1", "bb-2");

    @TempDir private Path home;
    private Path directory;

    @BeforeEach
    void place() {
        directory = home.resolve("migrator-me").resolve("journal");
    }

    @Test
    void whatWasWrittenIsRead() throws Exception {
        try (Journal journal = Journal.create(directory, "m1")) {
            journal.write(HEAD, Map.of("state", "GRANTED"));
            journal.write(HEAD, Map.of("state", "GONE"));
            assertEquals(HEAD, journal.contents().head());
            assertEquals(Map.of("state", "GONE"), journal.contents().body(Map.class));
        }
        assertEquals(List.of("m1"), Journal.ids(directory));
        assertEquals(HEAD, Journal.peek(directory, "m1").head());
    }

    @Test
    void oneActsAtATime() throws Exception {
        try (Journal journal = Journal.create(directory, "m1")) {
            assertEquals(Optional.empty(), Journal.open(directory, "m1"));
            journal.write(HEAD, Map.of());
        }
        try (Journal next = Journal.open(directory, "m1").orElseThrow()) {
            next.delete();
        }
        assertThrows(NoSuchFileException.class, () -> Journal.open(directory, "m1"));
        assertFalse(Files.exists(directory.getParent()), "directories of the last one");
    }

    @Test
    void aJournalThatWasNeverWrittenLeavesNothing() throws Exception {
        Journal.create(directory, "m1").close();
        assertFalse(Files.exists(directory));
    }

    /** A low and a high bit of each single byte, and each shorter length. */
    @Test
    void damageIsSeen() throws Exception {
        try (Journal journal = Journal.create(directory, "m1")) {
            journal.write(HEAD, Map.of("state", "GRANTED"));
        }
        Path file = directory.resolve("m1");
        byte[] good = Files.readAllBytes(file);
        for (int i = 0; i < good.length - 1; i++) {
            for (int flip : new int[] {0x01, 0x80}) {
                byte[] bad = good.clone();
                bad[i] ^= (byte) flip;
                assertUnreadable(file, bad);
            }
            assertUnreadable(file, Arrays.copyOf(good, i));
        }
    }

    private void assertUnreadable(Path file, byte[] bytes) throws IOException {
        Files.write(file, bytes);
        assertThrows(Journal.Unreadable.class, () -> Journal.peek(directory, "m1"));
    }

    @Test
    void aCopyUnderAnotherNameIsNotThatMigration() throws Exception {
        try (Journal journal = Journal.create(directory, "m1")) {
            journal.write(HEAD, Map.of());
        }
        Files.copy(directory.resolve("m1"), directory.resolve("m2"));
        IOException refusal = assertThrows(IOException.class, () -> Journal.peek(directory, "m2"));
        assertTrue(refusal.getMessage().contains("m1"), refusal.getMessage());
    }

    @Test
    void namesThatLeadElsewhereAreRefused() {
        for (String hostile : List.of("", "..", "../m1", "a/b", "M1", "m1\n")) {
            assertThrows(IOException.class, () -> Journal.create(directory, hostile));
            assertThrows(IOException.class, () -> Journal.peek(directory, hostile));
        }
    }
}
