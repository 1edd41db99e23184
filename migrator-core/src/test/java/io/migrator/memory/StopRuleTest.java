package io.migrator.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.migrator.memory.StopRule.Verdict;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;

class StopRuleTest {
    private static final StopRule RULE = new StopRule(Duration.ofMillis(10));

    /** Rounds as MB in milliseconds; the rate of sending is 1 MB in a millisecond. */
    private static List<Round> rounds(String text) {
        return Arrays.stream(text.split(" "))
                .map(each -> each.split("/"))
                .map(each -> new Round(Long.parseLong(each[0]) << 20, Double.parseDouble(each[1])))
                .toList();
    }

    @ParameterizedTest
    @CsvSource({
        // the first round tells nothing of how fast the job writes
        "4096/4096, AGAIN",
        "10/10, AGAIN",
        // 100 MB/s: 410 MB in the first round, 41 in the second, then 4
        "4096/4096 410/410, AGAIN",
        "4096/4096 410/410 41/41, FITS",
        // nothing was written at all
        "4096/4096 0/1, FITS",
        "0/1, FITS",
        // as fast as it is sent
        "1000/1000 1000/1000, AGAIN",
        "1000/1000 1000/1000 1000/1000, NO_GAIN",
        // slowly, but it gains
        "1000/1000 800/800 640/640 512/512, AGAIN",
        "1000/1000 800/800 640/640 600/600, NO_GAIN",
        // always the same few pages, each round slow for its size: so they would be in the freeze
        "1000/1000 2/20 2/20, NO_GAIN",
        "1000/1000 2/20 1/6, FITS",
        // always the same 50 MB, however long a round lasts
        "1000/1000 50/50 50/50, NO_GAIN",
    })
    void freezesInTime(String history, Verdict expected) {
        assertEquals(expected, RULE.decide(rounds(history)));
    }

    @ParameterizedTest
    @CsvSource({"29, AGAIN", "30, LIMIT"})
    void doesNotGoOnForEver(int count, Verdict expected) {
        Round[] rounds = new Round[count];
        for (int i = 0; i < count; i++) {
            double shrunk = 1e12 * Math.pow(0.85, i);
            rounds[i] = new Round((long) shrunk, shrunk / (1 << 20));
        }
        assertEquals(expected, RULE.decide(List.of(rounds)));
    }
}
