package io.migrator.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.migrator.memory.StopRule.Verdict;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;

class StopRuleTest {
    private static final Duration BUDGET = Duration.ofMillis(10);
    private static final StopRule RULE = new StopRule(BUDGET, 2);

    /** Rounds as MB in milliseconds; the rate of sending is 1 MB in a millisecond. */
    private static List<Round> rounds(String text) {
        return Arrays.stream(text.split(" "))
                .map(each -> each.split("/"))
                .map(each ->
                        new Round(Long.parseLong(each[0]) << 20, Double.parseDouble(each[1]), 0))
                .toList();
    }

    /** Zeros are sent quickly; a small round says little. */
    @Test
    void whatCanBeSentInATime() {
        assertEquals(
                5L << 20,
                StopRule.bytesWithin(Duration.ofMillis(5), rounds("4096/400 100/100 0/20")));
        assertEquals(0, StopRule.bytesWithin(Duration.ofMillis(5), rounds("0/0")));
    }

    @ParameterizedTest
    @CsvSource({
        // 100 MB/s: 410 MB in the first round, 41 in the second, then 4
        "4096/4096, 410, AGAIN",
        "4096/4096 410/410, 41, AGAIN",
        "4096/4096 410/410 41/41, 4, FITS",
        // nothing was written at all
        "4096/4096, 0, FITS",
        "0/1, 0, FITS",
        // what there is came meanwhile
        "0/1, 10, AGAIN",
        // as fast as it is sent
        "1000/1000, 1000, AGAIN",
        "1000/1000 1000/1000, 1000, NO_GAIN",
        // for a while
        "1000/1000 1000/1000, 500, AGAIN",
        "1000/1000 1000/1000 500/500, 490, NO_GAIN",
        // slowly, but it gains
        "1000/1000 800/800 640/640 512/512, 410, AGAIN",
        "1000/1000 800/800 640/640 600/600, 590, NO_GAIN",
        // always the same few pages, each round slow for its size: so they would be in the freeze
        "1000/1000 2/20, 2, AGAIN",
        "1000/1000 2/20 2/20, 2, NO_GAIN",
        "1000/1000 2/20 2/8, 2, FITS",
        // less one time, more the other: that has an end, too
        "1000/1000 40/40 50/50 40/40, 50, NO_GAIN",
    })
    void freezesInTime(String history, int writtenMegabytes, Verdict expected) {
        OptionalLong written = OptionalLong.of((long) writtenMegabytes << 20);
        assertEquals(expected, RULE.decide(rounds(history), written));
    }

    @ParameterizedTest
    @CsvSource({
        // the first round tells nothing of how fast the job writes
        "4096/4096, AGAIN",
        "10/10, AGAIN",
        "4096/4096 410/410, AGAIN",
        "4096/4096 410/410 41/41, FITS",
        "4096/4096 0/1, FITS",
        "1000/1000 1000/1000, AGAIN",
        "1000/1000 1000/1000 1000/1000, NO_GAIN",
        "1000/1000 2/20 2/20 2/20, NO_GAIN",
        "1000/1000 2/20 1/6, FITS",
    })
    void reckonsWhereItIsNotToldWhatWasWritten(String history, Verdict expected) {
        assertEquals(expected, RULE.decide(rounds(history), OptionalLong.empty()));
    }

    @Test
    void theFreezeKeepsToNoBandwidth() {
        List<Round> slow = List.of(new Round(100 << 20, 10_000, 9_900));
        assertEquals(Verdict.FITS, RULE.decide(slow, OptionalLong.of(10 << 20)));
        assertEquals(Verdict.AGAIN, RULE.decide(slow, OptionalLong.of(20 << 20)));
    }

    @Test
    void isAsPatientAsAsked() {
        List<Round> one = rounds("1000/1000");
        OptionalLong all = OptionalLong.of(1000 << 20);
        assertEquals(Verdict.NO_GAIN, new StopRule(BUDGET, 1).decide(one, all));
        assertEquals(Verdict.AGAIN, new StopRule(BUDGET, 2).decide(one, all));
    }

    @ParameterizedTest
    @CsvSource({"29, AGAIN", "30, LIMIT"})
    void doesNotGoOnForEver(int count, Verdict expected) {
        Round[] rounds = new Round[count];
        for (int i = 0; i < count; i++) {
            double shrunk = 1e12 * Math.pow(0.85, i);
            rounds[i] = new Round((long) shrunk, shrunk / (1 << 20), 0);
        }
        assertEquals(expected, RULE.decide(List.of(rounds), OptionalLong.empty()));
    }
}
