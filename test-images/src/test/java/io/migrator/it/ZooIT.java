package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.util.List;

/** A tree of 20 processes that uses one of everything. The uptime of n2 is days ahead of n1's. */
class ZooIT {
    private static final int PROCESSES = 20;

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    @Test
    void treeGoesOverAndGoesOn() throws Exception {
        NODES.start(
                N1,
                "zoo",
                List.of(),
                "/shared/bin/zoo",
                "--dir",
                TwoNodes.directory("zoo"),
                "--report",
                TwoNodes.report("zoo"));
        NODES.awaitFile(N1, TwoNodes.report("zoo"));
        JsonNode before = sound(N1);

        NODES.migrate(N1, "zoo").well();
        before = assertGoesOn(before, N2);
        NODES.migrate(N2, "zoo").well();
        assertGoesOn(before, N1);

        NODES.stop(N1, "zoo");
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    /** Timers have to fire after the move too, and messages to go round. */
    private static JsonNode assertGoesOn(JsonNode before, String node) throws Exception {
        JsonNode first = sound(node);
        JsonNode second = sound(node);
        for (String count : List.of("timerFires", "ringRounds", "lockChecks")) {
            assertTrue(first.path(count).asLong() >= before.path(count).asLong(), count);
            assertTrue(second.path(count).asLong() > first.path(count).asLong(), count);
        }
        return second;
    }

    private static JsonNode sound(String node) throws Exception {
        // long enough for a timer that stopped to be noticed, see zoo.c, SILENT_NANOS
        Thread.sleep(3500);
        JsonNode report = NODES.report(node, "zoo", "USR2");
        assertEquals("[]", report.path("errors").toString(), report::toString);
        assertTrue(report.path("ok").asBoolean(), report::toString);
        assertEquals(PROCESSES, report.path("processes").asInt(), report::toString);
        assertEquals(0, report.path("monotonicStepsBack").asLong(), report::toString);
        assertEquals(0, report.path("boottimeStepsBack").asLong(), report::toString);
        assertEquals(node, report.path("node").asText(), report::toString);
        return report;
    }
}
