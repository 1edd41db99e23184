package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import io.migrator.fault.FaultPoint;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.InputStream;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Connections in awkward states, and many, and between two jobs that move. */
class SocketIT {
    private static final double SILENT_MILLIS = 1000;
    private static final int LOOKS = 4;

    private static final String PLACE = "/shared/it/sockets";
    private static final String PROGRAM = "/shared/it/sockets.py";
    private static final int MANY = 200;
    private static final Duration DONE = Duration.ofSeconds(80);

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    private static List<String> address(String ip) {
        return List.of("--service-ip", ip + "/24@eth0");
    }

    private static Process startEnds(String kind) throws Exception {
        NODES.bash(N1, "mkdir -p -m 1777 /shared/it"); // others write there, too
        NODES.bash(N1, "rm -rf %1$s && mkdir -m 1777 %1$s".formatted(PLACE));
        try (InputStream program = SocketIT.class.getResourceAsStream("/sockets.py")) {
            Files.write(NODES.shared().resolve("it/sockets.py"), program.readAllBytes());
        }
        Process outside = Outside.python(NODES, PROGRAM, "outside", kind, PLACE);
        NODES.start(N1, "job", address("10.77.0.103"), "python3", PROGRAM, "inside", kind, PLACE);
        NODES.awaitFile(N1, PLACE + "/outside-ready");
        return outside;
    }

    private static void assertDone(String kind) throws Exception {
        Thread.sleep(500);
        NODES.bash(N1, "touch " + PLACE + "/go");
        for (String end : List.of("inside", "outside")) {
            NODES.run(
                    DONE,
                    N1,
                    "bash",
                    "-c",
                    "until [[ -s %s/%s-done ]]; do sleep 0.1; done".formatted(PLACE, end));
            String done = NODES.bash(N1, "cat %s/%s-done".formatted(PLACE, end));
            System.out.printf("%s: %s: %s%n", kind, end, done);
            assertTrue(done.startsWith("ok "), done);
        }
    }

    @Tag("long")
    @ParameterizedTest
    @ValueSource(strings = {"halfclosed", "synsent"})
    void moreAwkward(String kind) throws Exception {
        awkward(kind);
    }

    @ParameterizedTest
    @ValueSource(strings = {"queues", "udp", "crowded"})
    void awkward(String kind) throws Exception {
        Process outside = startEnds(kind);
        try {
            NODES.awaitFile(N1, PLACE + "/inside-ready");
            NODES.migrate(N1, "job").well();
            NODES.migrate(N2, "job").well();
            assertDone(kind);
        } finally {
            outside.destroyForcibly();
        }
    }

    /** It lasts until the segment is sent again, so the migration waits for it. */
    @Test
    void acknowledgedInPart() throws Exception {
        Process outside = startEnds("partial");
        FaultBlow blow = new FaultBlow(NODES, FaultPoint.SOURCE_PREPARED);
        try {
            blow.arm();
            CompletableFuture<Moved> moving = Moving.start(() -> NODES.migrate(N1, "job"));
            blow.await(moving);
            NODES.bash(N1, "touch " + PLACE + "/held");
            NODES.awaitFile(N1, PLACE + "/outside-acknowledged");
            blow.release();
            moving.get(60, TimeUnit.SECONDS).well();
            assertDone("partial");
        } finally {
            blow.heal();
            NODES.bash(N1, "touch %1$s/held %1$s/go".formatted(PLACE));
            outside.waitFor(30, TimeUnit.SECONDS); // it has rules to remove
            outside.destroyForcibly();
        }
    }

    @Test
    void manyAtOnce() throws Exception {
        startServer(N1, "job", "10.77.0.103");
        try (Outside client =
                Outside.start(
                        NODES,
                        "stream",
                        "client",
                        "--to",
                        "10.77.0.103:7000",
                        "--count",
                        String.valueOf(MANY),
                        "--rate-kb",
                        "8")) {
            String from = N1;
            for (int i = 0; i < 2; i++) {
                client.report();
                NODES.migrate(from, "job").well();
                from = TwoNodes.other(from);
                Thread.sleep(2500);
                assertFlows(heard(client), MANY);
            }
        }
    }

    /**
     * A report in which all connections have been heard lately, if one comes: of 200 on two slow
     * cores another one now and then is silent for more than a second, without any move. What died
     * is silent in all of them.
     */
    private static JsonNode heard(Outside client) throws Exception {
        JsonNode told = client.report();
        for (int i = 1; i < LOOKS && told.path("silentMillis").asDouble() >= SILENT_MILLIS; i++) {
            Thread.sleep(500);
            told = client.report();
        }
        return told;
    }

    private static void startServer(String node, String name, String ip) throws Exception {
        NODES.start(
                node,
                name,
                address(ip),
                "/shared/bin/stream",
                "server",
                "--port",
                "7000",
                "--bind",
                ip,
                "--report",
                TwoNodes.report(name));
        NODES.awaitFile(node, TwoNodes.report(name));
    }

    private static void assertFlows(JsonNode report, int connections) {
        assertEquals(0, report.path("errors").asLong(), report::toString);
        assertEquals(0, report.path("lost").asLong(), report::toString);
        assertEquals(connections, report.path("connections").asInt(), report::toString);
        assertTrue(report.path("silentMillis").asDouble() < SILENT_MILLIS, report::toString);
    }

    /** Two jobs that talk to each other move one after the other, then at the same time. */
    @Test
    void twoJobsThatTalk() throws Exception {
        startServer(N1, "job", "10.77.0.103");
        NODES.start(
                N1,
                "peer",
                address("10.77.0.104"),
                "/shared/bin/stream",
                "client",
                "--to",
                "10.77.0.103:7000",
                "--from",
                "10.77.0.104",
                "--report",
                TwoNodes.report("peer"));
        NODES.awaitFile(N1, TwoNodes.report("peer"));
        NODES.migrate(N1, "job").well();
        assertTalk(N2, N1);
        NODES.migrate(N1, "peer").well();
        assertTalk(N2, N2);
        together(N2, N2);
        assertTalk(N1, N1);
        NODES.migrate(N1, "peer").well();
        assertTalk(N1, N2);
        together(N1, N2); // past each other
        assertTalk(N2, N1);
        NODES.stop(N2, "job");
        NODES.stop(N1, "peer");
        NODES.bash(N2, "ip address del 10.77.0.103/24 dev eth0");
        NODES.bash(N1, "ip address del 10.77.0.104/24 dev eth0");
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    private static void together(String job, String peer) throws Exception {
        CompletableFuture<Moved> one = Moving.start(() -> NODES.migrate(job, "job"));
        CompletableFuture<Moved> other = Moving.start(() -> NODES.migrate(peer, "peer"));
        one.get(100, TimeUnit.SECONDS).well();
        other.get(100, TimeUnit.SECONDS).well();
    }

    private static void assertTalk(String job, String peer) throws Exception {
        Thread.sleep(4000); // as long as one was cut off, its next try may be away
        assertFlows(NODES.report(peer, "peer", "USR1"), 1);
        JsonNode server = NODES.report(job, "job", "USR1");
        assertEquals(0, server.path("errors").asLong(), server::toString);
        assertEquals(1, server.path("connections").asInt(), server::toString);
    }
}
