package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.util.List;

/** To Apptainer the moved instance is one like any other. */
class AfterwardsIT {
    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    @Test
    void apptainerListsEntersAndStopsIt() throws Exception {
        NODES.startPattern(N1, "job", 32);
        assertTrue(NODES.listed(N1, "job").path("canGo").asBoolean());
        NODES.migrate(N1, "job").well();

        String listed = NODES.out(N2, "apptainer", "instance", "list");
        assertTrue(listed.lines().anyMatch(line -> line.startsWith("job ")), listed);
        String seen = NODES.out(N2, "apptainer", "exec", "instance://job", "ps", "-eo", "args");
        assertTrue(seen.contains("/shared/bin/pattern"), seen);
        assertEquals(1, NODES.listed(N2, "job").path("processes").asInt());
        assertTrue(NODES.listed(N2, "job").path("canGo").asBoolean());
        assertTrue(NODES.listed(N1, "job").isMissingNode());

        NODES.stop(N2, "job");
        assertTrue(NODES.listed(N2, "job").isMissingNode());
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    @Test
    void startOptionsAreRepeated() throws Exception {
        for (String node : TwoNodes.BOTH) {
            NODES.bash(node, "echo data of " + node + " >/srv/it/data");
        }
        List<String> options =
                List.of(
                        "--bind",
                        "/srv/it:/opt/data:ro",
                        "--env",
                        "GREETING=hello, world",
                        "--hostname",
                        "jobhost");
        NODES.startPattern(N1, "job", options, 16);
        assertEquals("data of n1", inside(N1, "cat", "/opt/data/data"));

        NODES.migrate(N1, "job").well();
        NODES.verify(N2, "job");
        assertEquals("data of n2", inside(N2, "cat", "/opt/data/data"));
        assertTrue(record(N2).contains("\"GREETING\":\"hello, world\""), record(N2));
        assertEquals("jobhost", inside(N2, "hostname"));
        assertEquals("jobhost", NODES.report(N2, "job", "USR1").path("host").asText());

        NODES.migrate(N2, "job").well();
        NODES.verify(N1, "job");
        assertEquals("data of n1", inside(N1, "cat", "/opt/data/data"));
        assertTrue(record(N1).contains("\"GREETING\":\"hello, world\""), record(N1));
        assertEquals("jobhost", inside(N1, "hostname"));

        NODES.stop(N1, "job");
        for (String node : TwoNodes.BOTH) {
            NODES.bash(node, "rm /srv/it/data");
            NODES.assertAsBefore(node);
        }
    }

    /** Apptainer's own note of how the instance was started. */
    private static String record(String node) throws Exception {
        return NODES.bash(
                node,
                "sed 's/.*\"config\":\"\\([^\"]*\\)\".*/\\1/'"
                        + " ~/.apptainer/instances/app/*/root/job/job.json | base64 -d");
    }

    private static String inside(String node, String... words) throws Exception {
        return NODES.bash(node, "apptainer exec instance://job " + String.join(" ", words));
    }
}
