package io.migrator.problem;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;

class ProblemTest {

    @Test
    void theMessageNamesWhatAndBecause() {
        assertEquals("no criu", Problem.refused("no criu").getMessage());
        assertEquals(
                "no criu: not in PATH",
                Problem.refused("no criu").because("not in PATH").getMessage());
        assertEquals("no criu", Problem.refused("no criu").because(null).getMessage());
    }

    @Test
    void theFirstCauseIsKept() {
        IOException first = new IOException("first");
        Problem problem = Problem.failed("x").causedBy(first).causedBy(new IOException("second"));
        assertSame(first, problem.getCause());
    }

    /** Sites' scripts test for these numbers (docs/exit-codes.md). */
    @Test
    void exitCodesAreThoseOfTheDocument() {
        assertEquals(
                List.of("DONE 0", "FAILED 1", "USAGE 2", "REFUSED 3", "UNDECIDED 4", "LOST 5"),
                Arrays.stream(ExitCode.values()).map(code -> code + " " + code.code()).toList());
    }
}
