package io.migrator.cli.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

/** Files of cases. */
class CaseFileTest {
    private static CaseFile parse(String cases) throws Problem {
        return CaseFile.parse("{\"repeat\":1,\"pauseMillis\":100,\"cases\":[" + cases + "]}", "x");
    }

    @ParameterizedTest
    @ValueSource(strings = {"suite.json", "quick.json"})
    void thoseThatComeWithItAreUnderstood(String name) throws Problem {
        for (BenchCase each : CaseFile.parse(CaseFile.shipped(name), name).cases()) {
            assertTrue(each.ways().contains(Ways.BASELINE), each.name());
        }
    }

    @Test
    void whatIsNotSaidIsTheUsual() throws Problem {
        assertEquals(
                List.of(
                        new BenchCase(
                                "a", 1024, 100, 1, 0, "none", "auto", List.of("auto", "by-hand"))),
                parse("{\"name\":\"a\"} // nothing else\n").cases());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{}",
                "1",
                "null",
                "{\"name\":\"a\",\"speed\":1}",
                "{\"name\":\"a\",\"megabytes\":0}",
                "{\"name\":\"a\",\"megabytes\":\"many\"}",
                "{\"name\":\"a\",\"rate\":-1}",
                "{\"name\":\"a\",\"megabytes\":4,\"processes\":5}",
                "{\"name\":\"a\",\"connections\":513}",
                "{\"name\":\"a\",\"link\":\"1gbit; reboot\"}",
                "{\"name\":\"a\",\"compress\":\"zip\"}",
                "{\"name\":\"a\",\"ways\":[]}",
                "{\"name\":\"a\",\"ways\":[\"vmotion\"]}",
                "{\"name\":\"a\"},{\"name\":\"a\"}",
            })
    void whatIsWrongIsRefused(String cases) {
        Problem problem = assertThrows(Problem.class, () -> parse(cases));
        assertEquals(ExitCode.USAGE, problem.exitCode());
    }

    @Test
    void theLineAndTheFaultAreTold() {
        Problem problem =
                assertThrows(Problem.class, () -> parse("\n{\"name\":\"a\",\"link\":\"fast\"}"));
        assertTrue(
                problem.getMessage().contains("line 2: link has to be none, or a rate"),
                problem.getMessage());
    }
}
