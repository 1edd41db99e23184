package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import io.migrator.linux.Command;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** {@code migrator bench suite}, with a few cases of no size: what it does, not how fast. */
class BenchIT {
    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    private static final String CASES =
            """
            {"repeat": 1, "pauseMillis": 200, "cases": [
                {"name": "memory", "megabytes": 16, "rate": 10, "processes": 2,
                    "ways": ["auto", "by-hand", "by-hand-disk", "page-server"]},
                {"name": "connections", "megabytes": 8, "rate": 0, "connections": 3, "link": "1gbit",
                    "ways": ["auto", "by-hand", "page-server"]}
            ]}
            """;

    @TempDir private Path directory;

    /** What {@link Snapshot} does not see. */
    private static void assertNothingLeft() throws Exception {
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
        for (String node : TwoNodes.BOTH) {
            NODES.bash(node, "! tc qdisc show dev eth0 | grep -q tbf");
            NODES.bash(node, "! ls -d /run/by-hand-* /dev/shm/by-hand-* 2>/dev/null");
        }
        try (Stream<Path> shared = Files.list(NODES.shared())) {
            assertEquals(
                    List.of(),
                    shared.filter(each ->
                                    each.getFileName().toString().startsWith("migrator-bench-"))
                            .toList());
        }
    }

    private static List<String> suite(String... options) {
        List<String> argv = new ArrayList<>();
        argv.add(Path.of(System.getProperty("migrator.dist"), "bin/migrator").toString());
        argv.addAll(List.of("bench", "suite"));
        argv.addAll(List.of(options));
        return argv;
    }

    /** In the midst of a move by hand, which has an address and rules of nft to be undone. */
    @Test
    void interruptedItLeavesNothing() throws Exception {
        Path cases =
                Files.writeString(
                        directory.resolve("cases.json"),
                        CASES.replace("\"repeat\": 1", "\"repeat\": 9"));
        Path said = directory.resolve("said");
        Process suite =
                new ProcessBuilder(suite("--cases=" + cases))
                        .redirectErrorStream(true)
                        .redirectOutput(said.toFile())
                        .start();
        try {
            while (!Files.readString(said).contains("round 1: connections, auto")) {
                assertTrue(suite.isAlive(), () -> read(said));
                Thread.sleep(100);
            }
            Thread.sleep(2000);
            Command.of("kill", "-INT", Long.toString(suite.pid())).run(Duration.ofSeconds(5));
            assertTrue(suite.waitFor(2, TimeUnit.MINUTES), () -> read(said));
            assertEquals(1, suite.exitValue(), () -> read(said));
            assertTrue(read(said).contains("it was cancelled"), () -> read(said));
        } finally {
            suite.destroyForcibly();
        }
        assertNothingLeft();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }

    @Test
    void allWaysAreMeasuredAndFailuresTold() throws Exception {
        Path cases = Files.writeString(directory.resolve("cases.json"), CASES);
        Path json = directory.resolve("out.json");
        Path csv = directory.resolve("out.csv");
        Path html = directory.resolve("out.html");
        Command.Result result =
                Command.of(
                                suite(
                                        "--cases=" + cases,
                                        "--json=" + json,
                                        "--csv=" + csv,
                                        "--html=" + html))
                        .run(Duration.ofMinutes(10));
        assertEquals(1, result.exit(), result::toString); // one cannot take connections along

        JsonNode told = new ObjectMapper().readTree(json.toFile());
        Map<String, JsonNode> rows = new HashMap<>();
        told.path("cases")
                .forEach(row ->
                        rows.put(row.path("name").asText() + " " + row.path("way").asText(), row));
        assertEquals(7, rows.size(), told::toString);
        JsonNode failed = rows.remove("connections page-server");
        assertTrue(
                failed.path("failures").path(0).asText().contains("connections"), told::toString);
        for (JsonNode row : rows.values()) {
            assertTrue(row.path("verified").asBoolean(), row::toString);
            assertTrue(row.path("gapMillis").asDouble() > 0, row::toString);
            assertTrue(row.has("cpuSeconds") && row.has("peakBytes"), row::toString);
            assertTrue(
                    row.path("sentBytes").asDouble() >= row.path("memoryBytes").asLong(),
                    row::toString);
            assertEquals(
                    row.path("connections").asInt() > 0, row.has("silenceMillis"), row::toString);
        }
        JsonNode ours = rows.get("memory auto");
        assertEquals("by-hand", ours.path("baseline").path("name").asText());
        assertEquals(
                ours.path("gapMillis").asDouble()
                        / ours.path("baseline").path("gapMillis").asDouble(),
                ours.path("ratio").asDouble(),
                0.001);
        assertTrue(ours.path("sourceCpuSeconds").asDouble() > 0, ours::toString);

        List<String> lines = Files.readAllLines(csv);
        assertEquals(1 + 7, lines.size(), lines::toString);
        assertTrue(Files.readString(html).contains("\"steps\":["), "no time line");
        assertNothingLeft();
    }
}
