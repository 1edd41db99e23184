package io.migrator.ssh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.code_intelligence.jazzer.junit.FuzzTest;

import io.migrator.fuzz.CpuTime;
import io.migrator.problem.Problem;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** What names a node is no option of ssh's; words for a shell on it arrive as they are. */
class DestinationFuzzTest {
    static Stream<byte[]> seeds() {
        return Stream.of(
                        "n1",
                        "alice@n1.example",
                        "a@b@fe80::1%eth0",
                        "-oProxyCommand=x",
                        "a'b $c\n")
                .map(text -> text.getBytes(StandardCharsets.UTF_8));
    }

    @MethodSource("seeds")
    @Timeout(60)
    @FuzzTest
    void namesAreReadOrRefused(byte[] input) throws Problem {
        String text = new String(input, StandardCharsets.UTF_8);
        try {
            Destination read = Destination.parse(text);
            assertEquals(text, read.toString());
            assertEquals(read, Destination.parse(read.toString()));
            assertFalse(text.startsWith("-") || read.host().startsWith("-"), text);
        } catch (Problem e) {
            // it names none
        }
        List<String> words = List.of(text.replace("\0", "").split("\n", -1));
        assertEquals(words, words(ShellWords.line(words)));
    }

    /** A journal may name one, and nobody has typed it. */
    @Test
    void aLongNameTakesNoLongTime() {
        for (String part : List.of(":", "a", "1:", "@", ".", "%")) {
            String name = part.repeat(64 << 10) + "\n";
            CpuTime.within(
                    Duration.ofSeconds(2),
                    () -> assertThrows(Problem.class, () -> Destination.parse(name)));
        }
    }

    /** As sh(1) has them, of what is in single quotes, or escaped, or neither. */
    private static List<String> words(String line) {
        List<String> words = new ArrayList<>();
        StringBuilder word = new StringBuilder();
        boolean quoted = false;
        for (int at = 0; at < line.length(); at++) {
            char c = line.charAt(at);
            if (c == '\'') {
                quoted = !quoted;
            } else if (c == '\\' && !quoted) {
                word.append(line.charAt(++at));
            } else if (c == ' ' && !quoted) {
                words.add(word.toString());
                word.setLength(0);
            } else {
                assertFalse(!quoted && "$`\"*?[]{}();&|<>#!~\t\n".indexOf(c) >= 0, line);
                word.append(c);
            }
        }
        words.add(word.toString());
        return words;
    }
}
