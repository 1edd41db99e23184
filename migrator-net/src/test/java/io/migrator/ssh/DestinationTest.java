package io.migrator.ssh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DestinationTest {

    @Test
    void aNodeMayCarryAUser() throws Problem {
        assertEquals(
                new Destination(null, "node-1.site.org"), Destination.parse("node-1.site.org"));
        assertEquals(new Destination("alice", "n1"), Destination.parse("alice@n1"));
        assertEquals(new Destination("alice@site", "n1"), Destination.parse("alice@site@n1"));
        assertEquals(new Destination(null, "10.77.0.2"), Destination.parse("10.77.0.2"));
        assertEquals(new Destination("a", "fe80::1%eth0"), Destination.parse("a@fe80::1%eth0"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"n1", "alice@n1", "a.b@c@n1", "::1"})
    void itIsWrittenAsItWasRead(String text) throws Problem {
        assertEquals(text, Destination.parse(text).toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "@n1",
                "alice@",
                "-oProxyCommand=x",
                "alice@-n1",
                "-a@n1",
                "n 1",
                "n1;x",
                "n1:22",
                "10.77.0.2:22",
                "$(x)",
                "a b@n1",
                "n1\n",
                "ssh://n1",
                "[::1]"
            })
    void whatSshCouldMisreadIsAUsageProblem(String text) {
        Problem problem = assertThrows(Problem.class, () -> Destination.parse(text));
        assertEquals(ExitCode.USAGE, problem.exitCode());
    }
}
