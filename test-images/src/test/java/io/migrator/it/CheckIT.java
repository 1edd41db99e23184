package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import io.migrator.linux.Command;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code migrator check} of several nodes and of none. The lab has two: the third is n1 itself,
 * which has the instance already, or a name that nobody has.
 */
class CheckIT {
    private static final int FAILED = 1;
    private static final int REFUSED = 3;
    private static final String NOBODY = "no-such-node";
    private static final Duration LIMIT = Duration.ofSeconds(60);

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    private Snapshot source;

    @BeforeEach
    void startJob() throws Exception {
        startJob(List.of());
    }

    private void startJob(List<String> options) throws Exception {
        NODES.startPattern(N1, "job", options, 32, "--rate", "5");
        source = NODES.snapshot(N1);
    }

    @AfterEach
    void nothingHasChanged() throws Exception {
        NODES.verify(N1, "job");
        NODES.assertAs(N1, source);
        NODES.assertAsBefore(N2);
        for (String node : TwoNodes.BOTH) {
            assertEquals("", NODES.bash(node, "find /root /shared -name '.migrator-probe*'"));
        }
    }

    private static Command.Result check(Person person, String... words) throws Exception {
        List<String> all = new ArrayList<>(List.of("migrator", "check", "job"));
        all.addAll(List.of(words));
        Command.Result result = person.run(LIMIT, N1, all.toArray(String[]::new));
        assertEquals("", result.err());
        return result;
    }

    private static JsonNode json(Command.Result result) throws Exception {
        assertEquals(1, result.out().lines().count(), result.out());
        return new ObjectMapper().readTree(result.out());
    }

    @Test
    void eachNodeIsAsked() throws Exception {
        Command.Result asked = check(NODES, "--to", "n2,no-such-node,n1", "--json");
        assertEquals(0, asked.exit(), asked.out());
        JsonNode json = json(asked);
        assertTrue(json.path("canGo").asBoolean(), asked.out());
        assertEquals(List.of("n2", NOBODY, "n1"), json.path("nodes").findValuesAsText("node"));
        assertGood(json.path("nodes").path(0), json.path("here"));

        JsonNode nobody = json.path("nodes").path(1);
        assertFalse(nobody.path("canGo").asBoolean(), nobody::toString);
        assertFalse(nobody.path("reached").asBoolean(), nobody::toString);
        assertTrue(nobody.path("facts").isMissingNode(), nobody::toString);
        assertTrue(nobody.path("problem").path("what").asText().contains(NOBODY), nobody::toString);

        JsonNode itself = json.path("nodes").path(2);
        assertFalse(itself.path("canGo").asBoolean(), itself::toString);
        assertTrue(itself.path("reached").asBoolean(), itself::toString);
        assertEquals(List.of("name"), itself.path("findings").findValuesAsText("check"));
    }

    private static void assertGood(JsonNode node, JsonNode here) throws Exception {
        assertTrue(node.path("canGo").asBoolean(), node::toString);
        assertTrue(node.path("reached").asBoolean(), node::toString);
        assertTrue(node.path("findings").isEmpty(), node::toString);
        assertTrue(node.path("files").isArray(), node::toString);
        JsonNode facts = node.path("facts");
        assertEquals("n2", facts.path("host").asText());
        assertEquals(NODES.bash(N2, "uname -r"), facts.path("kernel").asText());
        assertEquals(NODES.bash(N1, "uname -r"), here.path("kernel").asText());
        String version = NODES.bash(N2, "criu --version | sed -n 's/^Version: //p'");
        assertEquals(version, facts.path("criu").asText());
        assertEquals("same", facts.path("cpu").asText());
        assertEquals(here.path("xsaveBytes").asLong(), facts.path("xsaveBytes").asLong());
        // criu prints what CPUID tells
        String told =
                NODES.bash(
                        N2,
                        "cd /srv/it; criu cpuinfo dump -v4 2>&1 | grep -o 'xsave_size [0-9]*' |"
                                + " head -n 1; rm cpuinfo.img");
        assertEquals(told, "xsave_size " + facts.path("xsaveBytes").asLong());
        for (String room : List.of("memory", "shm")) {
            long needed = facts.path(room).path("neededBytes").asLong();
            assertTrue(needed > 32 << 20, facts::toString);
            assertTrue(facts.path(room).path("freeBytes").asLong() >= needed, facts::toString);
        }
        assertEquals("same-file", facts.path("image").asText());
    }

    @Test
    void aTableIsPrinted() throws Exception {
        Command.Result asked = check(NODES, "--to", "n2,n1," + NOBODY);
        assertEquals(0, asked.exit(), asked.out());
        List<String> lines = asked.out().lines().toList();
        assertEquals(
                List.of("n1", "(here)", "n2", "n1", NOBODY),
                List.of(lines.getFirst().strip().split(" +")));
        assertTrue(lines.get(9).matches("can go +yes +no +no: not reached"), () -> lines.get(9));
        assertTrue(lines.contains("no:      [n1] an instance 'job' runs on n1"), asked.out());
        assertTrue(lines.stream().anyMatch(each -> each.startsWith("file:    [n2, n1] /shared")));
        assertEquals("'job' can go to n2", lines.getLast());
    }

    @Test
    void oneNodeHasNoTable() throws Exception {
        Command.Result asked = check(NODES, "--to", N2);
        assertEquals(0, asked.exit(), asked.out());
        List<String> lines = asked.out().lines().toList();
        assertTrue(
                lines.stream().limit(lines.size() - 1).allMatch(each -> each.startsWith("file:")),
                asked.out());
        assertEquals("'job' can go", lines.getLast());
    }

    @Test
    void toNoneItIsRefused() throws Exception {
        Command.Result asked = check(NODES, "--to", "n1," + NOBODY);
        assertEquals(REFUSED, asked.exit(), asked.out());
        assertTrue(asked.out().endsWith("'job' can go to none of them\n"), asked.out());
    }

    @Test
    void aNodeWithoutMigratorIsAColumn() throws Exception {
        Command.Result asked =
                check(NODES, "--to", "n1,n2", "--json", "--remote-program", "/opt/no/migrator");
        assertEquals(REFUSED, asked.exit(), asked.out());
        for (JsonNode each : json(asked).path("nodes")) {
            assertTrue(each.path("reached").asBoolean(), each::toString);
            assertTrue(each.path("facts").isMissingNode(), each::toString);
            String because = each.path("problem").path("because").asText();
            assertTrue(because.contains("/opt/no/migrator"), because);
        }
    }

    @Test
    void imagesAreCompared() throws Exception {
        NODES.stop(N1, "job");
        NODES.bash(N1, "cp /shared/images/base.sif /srv/it/own.sif");
        startJob(List.of("/srv/it/own.sif"));
        assertImages(REFUSED, "absent");
        NODES.bash(N2, "cp /shared/images/base.sif /srv/it/own.sif");
        assertImages(0, "same-digest");
        NODES.bash(N2, "echo >>/srv/it/own.sif");
        assertImages(REFUSED, "other");
        NODES.bash(N2, "rm /srv/it/own.sif");
    }

    private static void assertImages(int exit, String onN2) throws Exception {
        Command.Result asked = check(NODES, "--to", "n1,n2", "--json");
        assertEquals(exit, asked.exit(), asked.out());
        assertEquals(
                List.of("same-file", onN2), json(asked).path("nodes").findValuesAsText("image"));
    }

    /** A script finds out why without reading what is said to persons. */
    @Test
    void oneThatIsNotReachedIsTold() throws Exception {
        Command.Result asked =
                NODES.run(LIMIT, N1, "migrator", "check", "job", "--to", NOBODY, "--json");
        assertTrue(asked.err().contains(NOBODY), asked.err());
        JsonNode problem = json(asked).path("problem");
        assertTrue(problem.path("what").asText().contains(NOBODY), problem::toString);
    }

    @Test
    void withoutANodeThisOneIsLookedAt() throws Exception {
        Command.Result asked = check(NODES);
        assertEquals(0, asked.exit(), asked.out());
        assertEquals("'job' can go as far as this node tells; --to asks others\n", asked.out());
        JsonNode json = json(check(NODES, "--json"));
        assertTrue(json.path("canGo").asBoolean(), json::toString);
        assertTrue(json.path("nodes").isArray() && json.path("nodes").isEmpty(), json::toString);
    }

    /** A lock forbids the move if the other node sees the file, too. */
    @Test
    void whatThisNodeForbidsIsToldOnce() throws Exception {
        NODES.bash(
                N1,
                "apptainer -q exec instance://job sh -c 'exec 9>/shared/it-lock; flock 9; echo"
                        + " >/shared/it-locked; exec sleep 1000' >/dev/null 2>&1 </dev/null &");
        NODES.awaitFile(N1, "/shared/it-locked");
        Snapshot before = source;
        try {
            JsonNode alone = json(check(NODES, "--json"));
            assertFalse(forbids(alone, "file-locks"), alone::toString);
            assertTrue(
                    alone.path("findings").findValuesAsText("check").contains("file-locks"),
                    alone::toString);
            assertTrue(forbids(alone, "several-trees"), alone::toString);
            Command.Result asked = check(NODES, "--to", "n1,n2");
            assertEquals(REFUSED, asked.exit(), asked.out());
            List<String> lines = asked.out().lines().toList();
            assertEquals(
                    1,
                    lines.stream().filter(each -> each.contains("several process trees")).count(),
                    asked.out());
            assertTrue(
                    lines.contains("no:      [here] the instance holds several process trees"),
                    asked.out());
            assertTrue(
                    lines.stream()
                            .anyMatch(each ->
                                    each.startsWith("no:      [n1, n2] process")
                                            && each.contains("/shared/it-lock")),
                    asked.out());
        } finally {
            NODES.bash(N1, "pkill -f 'sleep 100[0]'; rm -f /shared/it-lock /shared/it-locked");
        }
        source = before;
    }

    private static boolean forbids(JsonNode json, String check) {
        for (JsonNode each : json.path("findings")) {
            if (each.path("check").asText().equals(check) && each.path("forbids").asBoolean()) {
                return true;
            }
        }
        return false;
    }

    @Test
    void ordinaryUsersAskToo() throws Exception {
        Person alice = NODES.as("alice");
        alice.startPattern(N1, "job", List.of("--userns"), 16);
        Command.Result asked = check(alice, "--to", "n2,n1", "--json");
        assertEquals(0, asked.exit(), asked.out());
        JsonNode nodes = json(asked).path("nodes");
        assertTrue(nodes.path(0).path("canGo").asBoolean(), nodes::toString);
        assertEquals("same", nodes.path(0).path("facts").path("cpu").asText());
        assertTrue(nodes.path(0).path("facts").path("xsaveBytes").asLong() > 0, nodes::toString);
        assertFalse(nodes.path(1).path("canGo").asBoolean(), nodes::toString);
        alice.stop(N1, "job");
    }

    /** n2 lets no connection be made, and says nothing: that lasts until the time is up. */
    @Test
    void aSignalEndsIt() throws Exception {
        NODES.bash(
                N2,
                "nft 'add table inet it; add chain inet it in { type filter hook input priority 0;"
                        + " }; add rule inet it in tcp dport 22 drop'");
        String told =
                NODES.bash(
                        N1,
                        """
                        migrator check job --to n1,n2 >/srv/it/out 2>/srv/it/err &
                        for _ in {1..400}; do
                            ss -Htn state syn-sent 'dport = :22' | grep -q . && break
                            sleep 0.05
                        done
                        ss -Htn state syn-sent 'dport = :22' | grep -q . || echo no connection is being made
                        kill -TERM $!
                        wait $!
                        echo exit $?
                        cat /srv/it/out /srv/it/err
                        rm /srv/it/out /srv/it/err
                        """);
        NODES.bash(N2, "nft delete table inet it");
        assertEquals("exit " + FAILED + "\nmigrator: error: it was cancelled", told);
    }
}
