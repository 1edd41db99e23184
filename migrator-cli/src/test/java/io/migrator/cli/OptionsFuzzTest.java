package io.migrator.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;

import io.migrator.problem.Problem;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.stream.Stream;

/** Times and rates are understood or not. */
class OptionsFuzzTest {
    static Stream<byte[]> seeds() {
        return Stream.of(
                        "90s",
                        "1h30m",
                        "999999999h",
                        "500ms",
                        "2Gbit",
                        "0.5kB",
                        "999999GB",
                        "\u0130s")
                .map(text -> text.getBytes(StandardCharsets.UTF_8));
    }

    @MethodSource("seeds")
    @Timeout(60)
    @FuzzTest
    void optionsAreUnderstoodOrNot(byte[] input) {
        String text = new String(input, StandardCharsets.UTF_8);
        try {
            Duration time = Span.of("--timeout", text);
            assertTrue(time.toNanos() > 0, text);
        } catch (Problem e) {
            // no time
        }
        try {
            assertTrue(Bandwidth.of("--bandwidth", text) >= 1, text);
        } catch (Problem e) {
            // no rate
        }
    }
}
