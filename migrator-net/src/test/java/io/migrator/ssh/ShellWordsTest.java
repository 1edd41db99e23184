package io.migrator.ssh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.migrator.linux.Command;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

class ShellWordsTest {

    @Test
    void plainWordsStayReadable() {
        assertEquals(
                "migrator receive --spool=/run/x a@b:c,d+e",
                ShellWords.line(List.of("migrator", "receive", "--spool=/run/x", "a@b:c,d+e")));
    }

    @Test
    void aFirstWordThatLooksLikeAnAssignmentIsQuoted() {
        assertEquals("'A=b' c", ShellWords.line(List.of("A=b", "c")));
    }

    @Test
    void everyWordArrivesInARealShell() throws Exception {
        List<String> words =
                List.of(
                        "", "a b", "it's", "''", "$HOME", "`id`", "\\", "a\\'b", "*", "~", "!x",
                        "\"", "a\nb", "#", ";x", "ä");
        List<String> command = new ArrayList<>(List.of("printf", "<%s>"));
        command.addAll(words);
        Command.Result result =
                Command.of("sh", "-c", ShellWords.line(command)).run(Duration.ofSeconds(10));
        assertEquals("<" + String.join("><", words) + ">", result.out());
    }

    @Test
    void whatCannotBeSaidIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> ShellWords.line(List.of()));
        assertThrows(IllegalArgumentException.class, () -> ShellWords.line(List.of("a\0b")));
    }
}
