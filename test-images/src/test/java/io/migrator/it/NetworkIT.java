package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;

/**
 * Connections to another machine live through moves to and fro: no byte is lost, doubled or
 * changed, no connection is reset, and those that are begun during a move come to be.
 */
class NetworkIT {
    /** Of the job, on the nodes' eth0. */
    private static final String IP4 = "10.77.0.103";

    private static final String IP6 = "fd77::103";
    private static final String BOTH = IP4 + "/24@eth0," + IP6 + "/64@eth0";

    private static final int PORT = 7000;
    private static final List<String> PROGRAMS =
            List.of("server4", "server6", "client4", "client6");

    /** Of a SYN that was dropped: RFC 6298 section 2.1, and some for a loaded machine. */
    private static final double ONE_RETRY_MILLIS = 2500;

    private static final String PAYLOAD =
            """
            cd "$0"
            s=/shared/bin/stream
            $s server --port 7000 --bind 0.0.0.0 --report server4 &
            $s server --port 7000 --bind %1$s --report server6 &
            $s client --to 10.77.0.254:7001 --from %2$s --report client4 &
            $s client --to [fd77::254]:7001 --from %1$s --report client6 &
            wait
            """;

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    private final List<Outside> outside = new ArrayList<>();

    @ParameterizedTest
    @ValueSource(strings = {"service-ip", "macvlan", "routed"})
    void twoMoves(String kind) throws Exception {
        moves(kind, 2);
    }

    @Tag("long")
    @ParameterizedTest
    @ValueSource(strings = {"service-ip", "macvlan", "routed"})
    void twentyMoves(String kind) throws Exception {
        moves(kind, 20);
    }

    private void moves(String kind, int count) throws Exception {
        if (kind.equals("routed")) {
            forward("1");
        }
        Outside bob = null;
        try {
            start(kind);
            bob = startBob();
            List<Double> silences = new ArrayList<>();
            List<Double> others = new ArrayList<>();
            String from = N1;
            for (int i = 0; i < count; i++) {
                outside.forEach(NetworkIT::forget);
                forget(bob);
                Moved moved = NODES.migrate(from, "job");
                assertEquals(0, moved.exit(), moved.err());
                assertTrue(moved.err().contains("(the job was started so)"), moved.err());
                from = TwoNodes.other(from);
                Thread.sleep(2500); // a client that was cut off tries again by then
                silences.add(assertFlows(from));
                JsonNode bobs = bob.report();
                assertStream(bobs, 1);
                others.add(bobs.path("longestGapMillis").asDouble());
            }
            System.out.printf(
                    "%s: %d moves, a client's longest silence %s ms, another user's %s ms%n",
                    kind, count, silences, others);
            NODES.stop(from, "job");
            // what the job has closed is forwarded as long as it takes
            NODES.bash(
                    from,
                    "for _ in {1..100}; do ip -br link | grep -q ^mg || exit 0; sleep 0.1; done");
        } finally {
            for (Outside each : outside) {
                each.close();
            }
            forward("0");
            if (bob != null) {
                bob.close();
            }
            NODES.bash(N1, "pkill -u bob stream; rm -f /run/bob /tmp/bob.out");
        }
        NODES.bash(N1, "ip address del %s/24 dev eth0 ||:".formatted(IP4));
        NODES.bash(N1, "ip address del %s/64 dev eth0 ||:".formatted(IP6));
        NODES.bash(N1, "ip neighbour del proxy %s dev eth0 ||:".formatted(IP4));
        NODES.bash(N1, "ip neighbour del proxy %s dev eth0 ||:".formatted(IP6));
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    private static void forward(String value) throws Exception {
        String line =
                "sysctl -qw net.ipv4.ip_forward=%1$s net.ipv6.conf.all.forwarding=%1$s"
                        + " net.ipv6.conf.eth0.proxy_ndp=%1$s";
        for (String node : TwoNodes.BOTH) {
            NODES.bash(node, line.formatted(value));
        }
    }

    /** Another user's server on the same node, and its client: nothing of theirs is touched. */
    private Outside startBob() throws Exception {
        NODES.bash(
                N1,
                "setsid runuser -u bob -- /shared/bin/stream server --port 7002 --report"
                        + " /tmp/bob.out </dev/null >/dev/null 2>&1 & echo $! >/run/bob");
        NODES.awaitFile(N1, "/tmp/bob.out");
        return Outside.start(NODES, "stream", "client", "--to", "10.77.0.1:7002");
    }

    private void start(String kind) throws Exception {
        outside.add(
                Outside.start(NODES, "stream", "server", "--port", "7001", "--bind", Outside.IP4));
        outside.add(
                Outside.start(NODES, "stream", "server", "--port", "7001", "--bind", Outside.IP6));
        List<String> options = new ArrayList<>(List.of("--service-ip", BOTH));
        if (!kind.equals("service-ip")) {
            options.addAll(List.of("--net", "own", "--link", kind));
        }
        NODES.start(
                N1,
                "job",
                options,
                "sh",
                "-c",
                PAYLOAD.formatted(IP6, IP4),
                TwoNodes.directory("job"));
        for (String program : PROGRAMS) {
            NODES.awaitFile(N1, TwoNodes.directory("job") + "/" + program);
        }
        outside.add(Outside.start(NODES, "stream", "client", "--to", IP4 + ":" + PORT));
        outside.add(
                Outside.start(NODES, "stream", "client", "--to", "[%s]:%d".formatted(IP6, PORT)));
        outside.add(Outside.start(NODES, "knock", "--to", IP4, "--port", String.valueOf(PORT)));
        outside.add(Outside.start(NODES, "knock", "--to", IP6, "--port", String.valueOf(PORT)));
    }

    /** The longest silence since the last report is that of what comes. */
    private static void forget(Outside program) {
        try {
            program.report();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** Returns the longest silence that one of them had. */
    private double assertFlows(String node) throws Exception {
        double longest = 0;
        for (Outside program : outside) {
            JsonNode report = program.report();
            if (report.has("made")) {
                assertEquals("[]", report.path("errorTexts").toString(), report::toString);
                assertTrue(
                        report.path("longestMillis").asDouble() < ONE_RETRY_MILLIS,
                        report::toString);
                continue;
            }
            assertStream(report, 1);
            longest = Math.max(longest, report.path("longestGapMillis").asDouble());
        }
        for (String program : PROGRAMS) {
            assertStream(inside(node, program), 1);
        }
        return longest;
    }

    private static void assertStream(JsonNode report, int connections) {
        assertEquals(0, report.path("errors").asLong(), report::toString);
        assertTrue(report.path("connections").asInt() >= connections, report::toString);
        assertTrue(report.path("silentMillis").asDouble() < 1000, report::toString);
        assertTrue(report.path("received").asLong() > 0, report::toString);
        if (report.path("role").asText().equals("client")) {
            assertFalse(report.path("lost").asLong() > 0, report::toString);
        }
    }

    private static JsonNode inside(String node, String program) throws Exception {
        String line = "ps -eo pid=,comm=,args= | awk '$2 == \"stream\" && / %s$/ { print $1 }'";
        long pid = Long.parseLong(NODES.bash(node, line.formatted(program)));
        return NODES.report(node, TwoNodes.directory("job") + "/" + program, pid, "USR1");
    }
}
