package io.migrator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.migrator.problem.Problem;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BandwidthTest {
    @ParameterizedTest
    @CsvSource({
        "2Gbit, 250000000",
        "500mbit, 62500000",
        "64kbit, 8000",
        "100MB, 100000000",
        "1.5GB, 1500000000",
        "0.008kbit, 1"
    })
    void ratesAreBytesASecond(String text, long bytes) throws Problem {
        assertEquals(bytes, Bandwidth.of("--bandwidth", text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "2",
                "2G",
                "Gbit",
                "-1Mbit",
                "0Mbit",
                "1e3kbit",
                "2 Gbit",
                "2Gbit/s",
                "0.001kbit"
            })
    void theRestIsNone(String text) {
        assertThrows(Problem.class, () -> Bandwidth.of("--bandwidth", text));
    }
}
