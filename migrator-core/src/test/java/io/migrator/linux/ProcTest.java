package io.migrator.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.migrator.fuzz.KernelText;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.util.List;

class ProcTest {
    /** The kernel escapes a line feed in a name and nothing else: these hid a process, or more. */
    @ParameterizedTest
    @ValueSource(strings = {"\rState:\tX", "\rUid:\t0", "\u0085PPid:\t1", "a\nNSpid:\t1\t1", "\\"})
    void aNameIsNoLineOfItsOwn(String name) throws IOException {
        Proc.Status status = new Proc.Status(KernelText.status(name, 'S', 77, 1000, "77\t5"));
        assertEquals("S (somehow)", status.line("State").orElseThrow());
        assertEquals(1000, status.numbers("Uid").getFirst());
        assertEquals(List.of(77L), status.numbers("PPid"));
        assertEquals(List.of(77L, 5L), status.numbers("NSpid"));
    }

    /** In a tree of its own a process has any /proc that it likes. */
    @ParameterizedTest
    @ValueSource(strings = {"", ")", "1 (a) S", "1 (a) S 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 x 9"})
    void whatIsNoStatIsRefused(String text) {
        assertThrows(IOException.class, () -> Proc.startTimeIn(text));
    }

    @Test
    void whatIsNoNumberIsRefused() {
        Proc.Status status = new Proc.Status("Uid:\tx\n");
        assertThrows(IOException.class, () -> status.numbers("Uid"));
    }

    /** setrlimit(2) takes any 64 bits. */
    @Test
    void aLimitOfMoreThanHalfTheNumbersIsNone() {
        String line =
                "Max core file size        1                    18446744073709551614 bytes     \n";
        assertEquals(Limits.UNLIMITED, Limits.hardIn(line).get("core file size"));
    }
}
