package io.migrator.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.fuzz.CpuTime;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;

class EmptyInstanceTest {
    @Test
    void helpersStartFarFromThePidsOfTheJob() {
        assertEquals(20000, EmptyInstance.lastPid(List.of(13, 14, 30)));
        assertEquals(21000, EmptyInstance.lastPid(List.of(13, 20500)));
        assertEquals(21000, EmptyInstance.lastPid(List.of(20000)));
    }

    @Test
    void theCounterStaysBelowTheSmallestPidLimit() {
        List<Integer> everyThousand = IntStream.range(20, 33).mapToObj(i -> i * 1000).toList();
        int place = EmptyInstance.lastPid(everyThousand);
        assertTrue(place < 20000, "place " + place);
    }

    /** A source may tell of as many as go into a message. */
    @Test
    void manyPidsTakeNoLongTime() {
        List<Integer> many = IntStream.range(1, 200_000).boxed().toList();
        CpuTime.within(Duration.ofSeconds(2), () -> EmptyInstance.lastPid(many));
    }
}
