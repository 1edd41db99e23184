package io.migrator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import picocli.CommandLine;

import java.time.Duration;

class FarSideTest {

    @ParameterizedTest
    @CsvSource({"90s, 90", "10m, 600", "1h, 3600", "1h30m, 5400", "2M, 120"})
    void timesAreReadAsTheyAreWritten(String text, long seconds) throws Problem {
        assertEquals(Duration.ofSeconds(seconds), withTime(text).timeLimit());
    }

    @ParameterizedTest
    @ValueSource(strings = {"soon", "10", "0s", "-5m", "", "1d"})
    void whatIsNoTimeIsRefused(String text) {
        Problem refusal = assertThrows(Problem.class, () -> withTime(text).timeLimit());
        assertEquals(ExitCode.USAGE, refusal.exitCode());
        assertEquals("--timeout " + text + " is not a time", refusal.what());
    }

    @Test
    void tenMinutesIsTheDefault() throws Problem {
        FarSide farSide = parsed();
        assertEquals(Duration.ofMinutes(10), farSide.timeLimit());
    }

    private static FarSide withTime(String time) {
        return parsed("--timeout", time);
    }

    private static FarSide parsed(String... words) {
        FarSide farSide = new FarSide();
        new CommandLine(farSide).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(words);
        return farSide;
    }
}
