package io.migrator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fasterxml.jackson.databind.ObjectMapper;

import io.migrator.problem.Problem;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.stream.Stream;

/** No name of a file or program, and no text of a peer, steers a terminal or begins a line. */
class TerminalFuzzTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    static Stream<byte[]> seeds() {
        return Stream.of(
                        "process 5 (\u001b]0;x\u0007\u001b[2J) has a lock",
                        "a\nmigrator: state: it runs\r\nno: \u009b2J \u202e \u2028 \ud83d\ude00",
                        "\udb40\udc01\u007f\u0085\0\t")
                .map(text -> text.getBytes(StandardCharsets.UTF_8));
    }

    @MethodSource("seeds")
    @Timeout(60)
    @FuzzTest
    void textIsShownAndNothingElse(byte[] input) throws IOException {
        String text = new String(input, StandardCharsets.UTF_8);
        String shown = Terminal.plain(text);
        assertPlain(shown);
        assertEquals(text.codePoints().count() + 9 * lineEnds(text), shown.codePoints().count());
        assertFalse(shown.matches("(?s).*\n(?! {9}).*"), shown);
        assertPlain(Terminal.plain(Problem.failed(text).because(text).tryThis(text).getMessage()));
        String json = Json.text(Map.of("what", text));
        assertPlain(json);
        assertEquals(0, lineEnds(json));
        assertEquals(json, Terminal.plain(json));
        assertEquals(text, JSON.readTree(json).path("what").asText());
    }

    private static long lineEnds(String text) {
        return text.chars().filter(c -> c == '\n').count();
    }

    private static void assertPlain(String text) {
        assertFalse(
                text.codePoints()
                        .anyMatch(c ->
                                c != '\n'
                                        && c != '\t'
                                        && (Character.isISOControl(c)
                                                || Character.getType(c) == Character.FORMAT)),
                text);
    }
}
