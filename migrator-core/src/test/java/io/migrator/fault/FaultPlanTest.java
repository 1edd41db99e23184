package io.migrator.fault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.fault.FaultAction.Victim;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.time.Duration;
import java.util.Optional;

class FaultPlanTest {
    @Test
    void severalFaultsInOneText() throws Problem {
        FaultPlan plan = FaultPlan.parse("source-held=kill:criu; target-taken=hold;\n");
        assertEquals(
                Optional.of(new FaultAction.Kill(Victim.CRIU)), plan.at(FaultPoint.SOURCE_HELD));
        assertEquals(Optional.of(new FaultAction.Hold()), plan.at(FaultPoint.TARGET_TAKEN));
        assertEquals(Optional.empty(), plan.at(FaultPoint.SOURCE_SEALED));
        assertEquals("source-held=kill:criu;target-taken=hold", plan.text());
    }

    @Test
    void blankTextPlansNothing() throws Problem {
        assertEquals("", FaultPlan.parse(" \n").text());
    }

    @Test
    void aFaultIsPutInPlaceOfTheOneBefore() throws Problem {
        FaultPlan plan = FaultPlan.parse("source-held=fail;source-gone=hold");
        assertEquals(
                "source-held=delay:7;source-gone=hold",
                plan.with(FaultPoint.SOURCE_HELD, new FaultAction.Delay(Duration.ofMillis(7)))
                        .text());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "kill:jvm",
                "kill:criu",
                "kill:foothold",
                "kill:side",
                "delay:0",
                "delay:1500",
                "fail",
                "cut",
                "cut:5",
                "fill",
                "hold",
            })
    void actionsAreWrittenAsTheyAreRead(String text) throws Problem {
        assertEquals(text, FaultAction.parse(text).text());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "kill",
                "kill:",
                "kill:KILL",
                "kill:init",
                "delay",
                "delay:-1",
                "delay:1s",
                "delay:123456789",
                "fail:x",
                "cut:",
                "cut:5.0",
                "hold:5",
                "fill:",
                "explode",
            })
    void nonsenseIsRefusedWithWhatThereIs(String text) {
        Problem problem = assertThrows(Problem.class, () -> FaultAction.parse(text));
        assertEquals(ExitCode.USAGE, problem.exitCode());
        assertTrue(problem.because().contains("kill:foothold"), problem.because());
        assertTrue(problem.because().contains("cut[:SECONDS]"), problem.because());
    }

    @Test
    void anUnknownPointIsRefusedWithThoseThereAre() {
        Problem problem = assertThrows(Problem.class, () -> FaultPlan.parse("source-hold=fail"));
        assertEquals("'source-hold' is no fault point", problem.what());
        assertTrue(problem.because().contains("source-held, source-sealed"), problem.because());
    }

    @ParameterizedTest
    @ValueSource(strings = {"source-held", "source-held=fail source-gone=fail"})
    void whatIsNoFaultIsRefused(String text) {
        assertEquals(
                ExitCode.USAGE,
                assertThrows(Problem.class, () -> FaultPlan.parse(text)).exitCode());
    }

    @Test
    void onePointTwice() {
        Problem problem =
                assertThrows(
                        Problem.class,
                        () -> FaultPlan.parse("source-gone=fail;source-gone=delay:5"));
        assertEquals("two faults at source-gone", problem.what());
    }

    @ParameterizedTest
    @EnumSource(FaultPoint.class)
    void pointsAreFoundByTheirNames(FaultPoint point) {
        assertEquals(Optional.of(point), FaultPoint.of(point.text()));
        assertEquals(point.text().startsWith("source-"), point.ofSource());
    }

    @Test
    void nothingHappensOutsideOfALab() throws Exception {
        for (FaultPoint point : FaultPoint.values()) {
            point.reached();
        }
    }
}
