package io.migrator.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.migration.Steps.Step;
import io.migrator.migration.Trace.Answer;
import io.migrator.migration.Trace.Far;
import io.migrator.migration.Trace.Part;
import io.migrator.migration.Trace.Scale;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.Collections;
import java.util.List;

/** Times of two nodes on one scale. */
class TraceTest {
    private static final long MILLI = 1_000_000;
    private static final Usage NOTHING = new Usage(0, 0);

    private static Account account(long nowMillis, Step... steps) {
        return new Account(nowMillis * MILLI, NOTHING, List.of(steps));
    }

    private static Step step(long fromMillis, long toMillis) {
        return new Step("load", fromMillis * MILLI, toMillis * MILLI);
    }

    @Test
    void theTargetsTimesArePutOnTheSourcesClock() {
        // the target's clock is 5000 ms ahead; it was asked at 100, and the answer came at 108
        Answer answer = new Answer(account(5104, step(5060, 5070)), 100 * MILLI, 108 * MILLI);
        Far far = answer.far(new Scale(40 * MILLI));
        assertEquals(List.of(new Part("load", 20, 30)), far.parts());
        assertEquals(5000, far.offsetMillis());
        assertEquals(4, far.errorMillis());
    }

    @Test
    void aClockThatIsBehindIsToo() {
        Answer answer = new Answer(account(-896, step(-940, -930)), 100 * MILLI, 108 * MILLI);
        assertEquals(List.of(new Part("load", 60, 70)), answer.far(new Scale(0)).parts());
    }

    /** Whatever of the way took how long, what is told is true. */
    @Test
    void theOffsetIsWrongByNoMoreThanIsTold() {
        for (int back = 0; back <= 8; back++) {
            Far far = new Answer(account(5108 - back), 100 * MILLI, 108 * MILLI).far(new Scale(0));
            assertTrue(Math.abs(far.offsetMillis() - 5000) <= far.errorMillis());
        }
    }

    @Test
    void theQuickestAnswerCounts() {
        Answer slow = new Answer(account(10), 0, 20 * MILLI);
        Answer quick = new Answer(account(30), 29 * MILLI, 31 * MILLI);
        assertEquals(quick, slow.orQuicker(quick));
        assertEquals(quick, quick.orQuicker(slow));
        assertEquals(slow, slow.orQuicker(null));
    }

    @Test
    void whatIsBegunIsNotedWhenItEnds() throws Exception {
        Steps steps = new Steps();
        try (Steps.Begun _ = steps.begin("outer")) {
            steps.noting("inner", () -> assertEquals(List.of(), steps.all())).run();
        }
        assertEquals(List.of("inner", "outer"), steps.all().stream().map(Step::name).toList());
        assertThrows(
                IOException.class,
                () ->
                        steps.noting(
                                        "failed",
                                        () -> {
                                            throw new IOException("no");
                                        })
                                .run());
        assertEquals("failed", steps.all().getLast().name());
    }

    @Test
    void aLongJobsStepsAreBounded() {
        Steps steps = new Steps();
        for (int i = 0; i < Steps.MOST + 10; i++) {
            steps.add("files", i, i);
        }
        assertEquals(Steps.MOST, steps.all().size());
        assertEquals(Steps.MOST, new Account(0, NOTHING, steps.all()).steps().size());
    }

    @Test
    void aPeersNonsenseIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> new Step("x", 2, 1));
        assertThrows(IllegalArgumentException.class, () -> new Usage(Double.NaN, 0));
        assertThrows(IllegalArgumentException.class, () -> new Usage(-1, 0));
        assertThrows(IllegalArgumentException.class, () -> new Usage(0, -1));
        assertEquals("a.b", account(3, new Step("a\u001bb", 1, 2)).steps().getFirst().name());
        List<Step> many = Collections.nCopies(Steps.MOST + 1, step(1, 2));
        assertThrows(IllegalArgumentException.class, () -> new Account(0, NOTHING, many));
    }
}
