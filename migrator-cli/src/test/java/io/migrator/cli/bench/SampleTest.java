package io.migrator.cli.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.migrator.linux.CpuSeconds;
import io.migrator.problem.Problem;

import org.junit.jupiter.api.Test;

import java.util.List;

/** The arithmetic of the figures. */
class SampleTest {
    @Test
    void medianOfAnOddAndOfAnEvenNumber() {
        assertEquals(new Sample(3, 2, 1, 9), Sample.of(List.of(9.0, 1.0, 2.0)));
        assertEquals(new Sample(4, 2.5, 1, 9), Sample.of(List.of(9.0, 1.0, 2.0, 3.0)));
    }

    @Test
    void nothingMeasuredIsShownAsFailed() {
        assertEquals("failed", Sample.of(List.of()).text("%.1f"));
        assertEquals("2.5 (1.0 - 4.0)", Sample.of(List.of(4.0, 1.0)).text("%.1f"));
    }

    @Test
    void sizes() throws Problem {
        assertEquals(512L << 20, Size.parse("512MiB"));
        assertEquals(4_000_000_000L, Size.parse("4gb"));
        assertEquals(7, Size.parse("7"));
        for (String bad : List.of("", "0", "-1", "1TB", "1.5GB", "MiB")) {
            assertThrows(Problem.class, () -> Size.parse(bad), bad);
        }
    }

    @Test
    void processorTimeOfAProcessWhoseNameHasBlanksAndParentheses() {
        String stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 1 2 3 4 150 50 20 30 20 0 1 0 99 1 2";
        assertEquals(2.5, CpuSeconds.of(stat));
    }

    /** user nice system idle iowait irq softirq steal guest guest_nice (proc(5)) */
    @Test
    void timeOfAMachineIsWhatItWorkedItself() {
        assertEquals(1.24, CpuSeconds.busy("cpu  100 1 20 5000 600 1 2 3 90 9\ncpu0 1 2 3\n"));
    }
}
