package io.migrator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import io.migrator.check.Fate;
import io.migrator.check.Finding;
import io.migrator.check.Preflight;
import io.migrator.instance.ImageIdentity.Match;
import io.migrator.linux.Clocks;
import io.migrator.migration.Candidate;
import io.migrator.migration.Feasibility;
import io.migrator.migration.Needs;
import io.migrator.migration.TargetFacts;
import io.migrator.problem.Problem;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What {@code check} prints of several nodes, and its JSON. */
class CheckMatrixTest {
    private static final Feasibility.Here HERE =
            new Feasibility.Here("n1", "6.18.44", "4.2.1", 2432);
    private static final Needs NEEDS = new Needs(269_000_000, 538_000_000);
    private static final Finding OF_SOURCE =
            Finding.forbidden("terminal", "it has a terminal", "criu cannot", "take it away");
    private static final Finding WARNING =
            Finding.warning("session", "it gets a session", "criu needs it", "migrator run");
    private static final Finding NAME =
            Finding.forbidden("name", "'job' runs on n3", "one name", "stop it");
    private static final Finding CPU =
            Finding.forbidden("cpu", "the CPU lacks what the job may use", "avx", "another node");
    private static final Fate FILE = new Fate("/scratch/a", "carried", 1_500_000);

    private static TargetFacts facts(String node, String criuProblem, String cpuProblem) {
        return new TargetFacts(
                node,
                "b",
                "6.12.9-4-amd64",
                criuProblem.isEmpty() ? "4.2" : "",
                criuProblem,
                cpuProblem,
                false,
                criuProblem.isEmpty() ? 2696 : 0,
                "",
                false,
                null,
                9_999_000_000L,
                512_000_000_000L,
                Map.of(),
                List.of(),
                new Clocks(0, 0));
    }

    private static NodeAnswer answer(TargetFacts facts, Match image, Finding... found) {
        Preflight preflight = new Preflight(List.of(found)).with(List.of(FILE));
        return NodeAnswer.of(facts.node(), new Candidate(facts, image, preflight));
    }

    private static String table(List<Finding> ofSource, NodeAnswer... answers) {
        List<String> lines =
                new CheckMatrix("job", HERE, NEEDS, ofSource, List.of(answers)).lines();
        return String.join("\n", lines) + "\n";
    }

    private static final NodeAnswer GOOD = answer(facts("n2", "", ""), Match.SAME_DIGEST, WARNING);
    private static final NodeAnswer BAD =
            answer(facts("n3", "", "avx"), Match.ABSENT, WARNING, NAME, CPU);
    private static final NodeAnswer WORSE = answer(facts("n4", "none", ""), Match.OTHER, CPU);
    private static final NodeAnswer OUT_OF_REACH =
            NodeAnswer.failed(
                    "alice@node-of-long-name", false, Problem.refused("no way").tryThis("walk"));
    private static final NodeAnswer WITHOUT =
            NodeAnswer.failed("n6", true, Problem.refused("no migrator").because("not found"));

    @Test
    void eachNodeHasItsColumn() {
        assertEquals(
                """
                          n1 (here)      n2              n3              n4              alice@node-of-long-name  n6
                cpu                      fits            lacks features  -               -                        -
                xsave     2432 B         2696 B          2696 B          -               -                        -
                kernel    6.18.44        6.12.9-4-amd64  6.12.9-4-amd64  6.12.9-4-amd64  -                        -
                criu      4.2.1          4.2             4.2             none of use     -                        -
                memory    538 MB needed  512.0 GB free   512.0 GB free   512.0 GB free   -                        -
                /dev/shm  269 MB needed  9999 MB free    9999 MB free    9999 MB free    -                        -
                image                    same digest     absent          other           -                        -
                forbids                                  name, cpu       cpu             -                        -
                can go                   yes             no              no              no: not reached          no: no answer

                warning: [here] it gets a session
                         criu needs it
                         try: migrator run
                no:      [n3] 'job' runs on n3
                         one name
                         try: stop it
                no:      [n3, n4] the CPU lacks what the job may use
                         avx
                         try: another node
                no:      [alice@node-of-long-name] no way
                         try: walk
                no:      [n6] no migrator
                         not found
                file:    [n2, n3, n4] /scratch/a (carried, 1.5 MB)
                'job' can go to n2
                """,
                table(List.of(WARNING), GOOD, BAD, WORSE, OUT_OF_REACH, WITHOUT));
    }

    @Test
    void whatForbidsOnThisNodeIsToldOnceAndForbidsAll() {
        NodeAnswer one = answer(facts("n2", "", ""), Match.SAME_FILE, OF_SOURCE);
        NodeAnswer other = answer(facts("n3", "", ""), Match.SAME_FILE, OF_SOURCE);
        String said = table(List.of(OF_SOURCE), one, other);
        assertEquals(said.indexOf("it has a terminal"), said.lastIndexOf("it has a terminal"));
        assertTrue(said.contains("\nno:      [here] it has a terminal\n"), said);
        assertTrue(said.contains("\nforbids   terminal\n"), said);
        assertTrue(said.contains("\ncan go                   no              no\n"), said);
        assertTrue(said.endsWith("'job' can go to none of them\n"), said);
    }

    /** A node's words are no wider than a column may be, and no line is added by them. */
    @Test
    void aNodeCannotSpoilTheTable() {
        TargetFacts lie =
                new TargetFacts(
                        "n2",
                        "b",
                        "\u001b[31m6.18\ncan go    yes" + "x".repeat(500),
                        "4\r2",
                        "",
                        "",
                        true,
                        Long.MAX_VALUE,
                        "",
                        false,
                        null,
                        Long.MAX_VALUE,
                        Long.MAX_VALUE,
                        Map.of(),
                        List.of(),
                        new Clocks(0, 0));
        List<Finding> many = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            many.add(Finding.forbidden("check\u0007" + i, "a\nb", "c\u001b]0;x", "d"));
        }
        NodeAnswer liar = answer(lie, Match.SAME_FILE, many.toArray(Finding[]::new));
        String said = table(List.of(), liar, BAD);
        assertFalse(said.chars().anyMatch(c -> c != '\n' && Character.isISOControl(c)), said);
        List<String> table = said.lines().limit(10).toList();
        assertEquals("can go", table.getLast().substring(0, 6), said);
        int widest = table.stream().mapToInt(String::length).max().orElse(0);
        assertTrue(widest <= 10 + 15 + 34 + 16, said);
    }

    @Test
    void theObjectHasTheFieldsThatArePromised() throws JsonProcessingException {
        JsonNode json = json(GOOD, BAD, WORSE, OUT_OF_REACH);
        assertEquals(List.of("canGo", "here", "nodes"), names(json));
        assertTrue(json.path("canGo").asBoolean());
        assertEquals(
                "{\"host\":\"n1\",\"kernel\":\"6.18.44\",\"criu\":\"4.2.1\",\"xsaveBytes\":2432}",
                json.path("here").toString());
        JsonNode good = json.path("nodes").path(0);
        assertEquals(
                List.of("node", "canGo", "reached", "facts", "findings", "files"), names(good));
        assertEquals(
                "{\"host\":\"n2\",\"kernel\":\"6.12.9-4-amd64\",\"criu\":\"4.2\",\"cpu\":\"fits\","
                        + "\"xsaveBytes\":2696,"
                        + "\"memory\":{\"freeBytes\":512000000000,\"neededBytes\":538000000},"
                        + "\"shm\":{\"freeBytes\":9999000000,\"neededBytes\":269000000},"
                        + "\"image\":\"same-digest\"}",
                good.path("facts").toString());
        assertEquals("session", good.path("findings").path(0).path("check").asText());
        assertEquals("/scratch/a", good.path("files").path(0).path("path").asText());
        JsonNode bad = json.path("nodes").path(1);
        assertEquals("lacks", bad.path("facts").path("cpu").asText());
        assertFalse(bad.path("canGo").asBoolean());
        assertEquals("unknown", json.path("nodes").path(2).path("facts").path("cpu").asText());
        JsonNode lost = json.path("nodes").path(3);
        assertEquals(
                List.of("node", "canGo", "reached", "findings", "files", "problem"), names(lost));
        assertFalse(lost.path("reached").asBoolean());
        assertEquals("no way", lost.path("problem").path("what").asText());
        assertEquals("walk", lost.path("problem").path("try").asText());
    }

    @Test
    void itCanGoIfOneNodeCanTakeIt() throws JsonProcessingException {
        assertTrue(json(BAD, GOOD).path("canGo").asBoolean());
        assertFalse(json(BAD, OUT_OF_REACH, WITHOUT).path("canGo").asBoolean());
    }

    private static JsonNode json(NodeAnswer... answers) throws JsonProcessingException {
        return new ObjectMapper()
                .readTree(Json.text(CheckResult.of(HERE, NEEDS, List.of(answers))));
    }

    private static List<String> names(JsonNode object) {
        return object.properties().stream().map(Map.Entry::getKey).toList();
    }
}
