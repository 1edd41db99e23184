package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import io.migrator.linux.Command;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What forbids a job's connections to move is found and named before anything is frozen. */
class NetworkRefusalIT {
    private static final String IP = "10.77.0.103";
    private static final String ADDRESS = IP + "/24@eth0";
    private static final String STATE = TwoNodes.directory("job") + "/state";

    /** A job that holds what {@code make} makes, and does nothing. */
    private static final String HOLDER =
            """
            import socket, struct, sys, time
            %s
            open('%s', 'w').write('ready')
            time.sleep(1000)
            """;

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    private void serve(String... options) throws Exception {
        NODES.start(
                N1,
                "job",
                List.of(options),
                "/shared/bin/stream",
                "server",
                "--port",
                "7000",
                "--bind",
                options.length > 0 ? IP : "0.0.0.0",
                "--report",
                TwoNodes.report("job"));
        NODES.awaitFile(N1, TwoNodes.report("job"));
    }

    private static List<String> findings(String forbids) throws Exception {
        List<String> names = new ArrayList<>();
        for (JsonNode each : NODES.checked(N1, "job").path("findings")) {
            if (each.path("forbids").asText().equals(forbids)) {
                names.add(each.path("check").asText());
            }
        }
        return names;
    }

    private static void assertForbids(String check) throws Exception {
        List<String> found = findings("true");
        assertTrue(found.contains(check), () -> check + " is not in " + found);
        Snapshot before = NODES.snapshot(N2);
        NODES.migrate(N1, "job").refused(3);
        NODES.assertAs(N2, before);
        assertEquals(
                "running", NODES.listed(N1, "job").path("processes").asInt() > 0 ? "running" : "");
    }

    @Test
    void onTheTarget() throws Exception {
        serve("--service-ip", ADDRESS);
        Map<String, String> all =
                Map.of(
                        "service-ip", "ip address add 10.77.0.103/24 dev eth0",
                        "port", "reuse 0.0.0.0",
                        "none", "reuse 10.77.0.2", // another address of that node
                        "route", "ip route add unreachable 10.77.0.254/32",
                        "conntrack", "strict",
                        "network-lock", "nft add table inet migrator-m77");
        try (Outside client = Outside.start(NODES, "stream", "client", "--to", IP + ":7000")) {
            assertAll(
                    all.entrySet().stream()
                            .map(each -> () -> onTheTarget(each.getKey(), each.getValue())));
            assertEquals("established", client.report().path("state").asText());
        }
    }

    private static void onTheTarget(String check, String what) throws Exception {
        String undo = make(what);
        try {
            if (check.equals("none")) {
                assertEquals(List.of(), findings("true"));
            } else {
                assertForbids(check);
            }
        } finally {
            NODES.bash(N2, undo);
        }
    }

    private static String make(String what) throws Exception {
        if (what.startsWith("reuse ")) {
            String listen =
                    "import socket, time; s = socket.socket();"
                            + " s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1);"
                            + " s.bind(('%s', 7000)); s.listen(); time.sleep(60)";
            NODES.bash(
                    N2,
                    "python3 -c \"%s\" </dev/null >/dev/null 2>&1 & echo $! >/run/listens;"
                                    .formatted(listen.formatted(what.substring(6)))
                            + " sleep 0.5");
            return "kill $(cat /run/listens); rm /run/listens";
        }
        if (what.equals("strict")) {
            NODES.bash(
                    N2,
                    "sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0;"
                            + " nft add table inet t;"
                            + " nft 'add chain inet t c { type filter hook input priority 0; }';"
                            + " nft add rule inet t c ct state invalid drop");
            return "nft delete table inet t; sysctl -qw net.netfilter.nf_conntrack_tcp_loose=1";
        }
        NODES.bash(N2, what);
        return what.replace(" add ", " del ").replace("nft del table", "nft delete table");
    }

    /** Only this node has the interface. */
    @Test
    void anInterfaceThatIsNotThereForbids() throws Exception {
        NODES.bash(N1, "ip link add it0 type bridge; ip link set it0 up");
        try {
            NODES.start(
                    N1,
                    "job",
                    List.of("--service-ip", "10.79.0.103/24@it0"),
                    "python3",
                    "-c",
                    HOLDER.formatted("", STATE));
            NODES.awaitFile(N1, STATE);
            assertForbids("device");
            NODES.stop(N1, "job");
        } finally {
            NODES.bash(N1, "ip link del it0");
        }
    }

    @Test
    void smallerPacketsAreAWarning() throws Exception {
        serve("--service-ip", ADDRESS);
        NODES.bash(N2, "ip link set eth0 mtu 1400");
        try {
            assertEquals(List.of(), findings("true"));
            assertEquals(List.of("mtu"), findings("false"));
        } finally {
            NODES.bash(N2, "ip link set eth0 mtu 1500");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "connections | s = socket.create_connection(('10.77.0.254', 7001))",
                "outside-unix | s = socket.socket(socket.AF_UNIX);"
                        + " s.connect('/shared/it/outside.sock')",
                // not accepted, and accepted
                "connections | s = socket.create_connection(('127.0.0.1', 7002))",
                "connections | s = socket.create_connection(('127.0.0.1', 7003))",
                "bound-address | s = socket.socket(); s.bind(('10.77.0.1', 7000)); s.listen()",
            })
    void ofTheJob(String check, String make) throws Exception {
        forbids(check, make);
    }

    @Tag("long")
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "bound-address | s = socket.socket(type=socket.SOCK_DGRAM);"
                        + " s.bind(('10.77.0.1', 7000))",
                "corked | s = socket.socket(type=socket.SOCK_DGRAM);"
                        + " s.connect(('10.77.0.254', 9)); s.setsockopt(17, 1, 1); s.send(b'x')",
                "multicast | s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM);"
                        + " s.setsockopt(41, 20, socket.inet_pton(10, 'ff05::77')"
                        + " + struct.pack('i', socket.if_nametoindex('eth0')))",
                "multicast | s = socket.socket(type=socket.SOCK_DGRAM); s.setsockopt(0, 35,"
                        + " socket.inet_aton('239.1.2.3') + socket.inet_aton('10.77.0.1'))",
                "unix-name | s = socket.socket(socket.AF_UNIX); s.bind('\\0migrator-it')",
            })
    void moreOfTheJob(String check, String make) throws Exception {
        forbids(check, make);
    }

    private static void forbids(String check, String make) throws Exception {
        NODES.bash(N1, "mkdir -p -m 1777 /shared/it");
        String outside =
                "import socket, os, time; s = socket.socket(socket.AF_UNIX);"
                        + " s.bind('/shared/it/outside.sock'); s.listen();"
                        + " t = socket.create_server(('127.0.0.1', 7002));"
                        + " u = socket.create_server(('127.0.0.1', 7003));"
                        + " import select; r = select.select([s, u], [], [])[0];"
                        + " c = r[0].accept(); time.sleep(40)";
        String name =
                "import socket, time; s = socket.socket(socket.AF_UNIX);"
                        + " s.bind(chr(0) + 'migrator-it'); time.sleep(40)";
        try (Outside server = Outside.start(NODES, "stream", "server", "--port", "7001")) {
            NODES.bash(N1, background(outside));
            NODES.bash(N2, background(name));
            String program = HOLDER.formatted(make.replace("\\0", "\\x00"), STATE);
            NODES.start(N1, "job", List.of(), "python3", "-c", program);
            NODES.awaitFile(N1, STATE);
            assertForbids(check);
            assertEquals(0, server.report().path("errors").asInt());
        } finally {
            for (String node : TwoNodes.BOTH) {
                NODES.bash(node, "kill $(cat /run/beside); rm -f /run/beside");
            }
            NODES.bash(N1, "rm -f /shared/it/outside.sock");
        }
    }

    private static String background(String python) {
        return "python3 -c \"%s\" </dev/null >/dev/null 2>&1 & echo $! >/run/beside; sleep 0.5"
                .formatted(python);
    }

    @Test
    void anAddressThatSomebodyElseUsesStays() throws Exception {
        serve();
        Moved moved = NODES.migrate(N1, "job", "--network", "service-ip=10.77.0.1/24@eth0");
        moved.refused(3);
        assertTrue(
                moved.err().contains("another program of this node uses 10.77.0.1"), moved.err());
    }

    @Test
    void theFirstAddressOfANetworkStays() throws Exception {
        String first = "10.78.0.103/24";
        NODES.bash(
                N1,
                "ip address add %s dev eth0; ip address add 10.78.0.1/24 dev eth0"
                        .formatted(first));
        try {
            serve();
            Moved moved = NODES.migrate(N1, "job", "--network", "service-ip=" + first + "@eth0");
            moved.refused(3);
            assertTrue(moved.err().contains("10.78.0.1"), moved.err());
        } finally {
            NODES.bash(
                    N1,
                    "ip address del 10.78.0.1/24 dev eth0; ip address del %s dev eth0"
                            .formatted(first));
        }
    }

    /** The list says so, too. */
    @Test
    void theListTellsOfConnections() throws Exception {
        serve();
        assertTrue(NODES.listed(N1, "job").path("canGo").asBoolean());
        try (Outside client = Outside.start(NODES, "stream", "client", "--to", "10.77.0.1:7000")) {
            assertEquals("established", client.report().path("state").asText());
            assertFalse(NODES.listed(N1, "job").path("canGo").asBoolean());
        }
    }

    @Test
    void whatTheJobIsNotIsRefused() throws Exception {
        serve();
        for (String wish : List.of("own", "service-ip=10.77.0.99/24@eth0", "refuse")) {
            NODES.migrate(N1, "job", "--network", wish).refused(3);
        }
        assertEquals(2, NODES.migrate(N1, "job", "--network", "service-ip=n1").exit());
    }

    /** The peer hears it at once; what listens goes on. */
    @Test
    void closedConnectionsEnd() throws Exception {
        serve();
        try (Outside client = Outside.start(NODES, "stream", "client", "--to", "10.77.0.1:7000")) {
            NODES.migrate(N1, "job").refused(3);
            assertEquals("established", client.report().path("state").asText());
            Moved moved = NODES.migrate(N1, "job", "--network", "close").well();
            assertTrue(moved.err().contains("network: the job's TCP connections end"), moved.err());
            Thread.sleep(500);
            assertEquals(0, client.last().path("connections").asInt());
        }
        try (Outside client = Outside.start(NODES, "stream", "client", "--to", "10.77.0.2:7000")) {
            Thread.sleep(500);
            assertTrue(client.report().path("received").asLong() > 0);
        }
        NODES.stop(N2, "job");
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    /** An address of the node itself stays; who allows it finds the job at the other node's. */
    @Test
    void whatListensAtTheNodesAddressMayListenAtTheOthers() throws Exception {
        listens("10.77.0.1", "10.77.0.2");
    }

    @Tag("long")
    @Test
    void itMayAtAnIpv6Address() throws Exception {
        listens("fd77::1", "fd77::2");
    }

    private static void listens(String here, String there) throws Exception {
        NODES.start(
                N1,
                "job",
                List.of(),
                "/shared/bin/stream",
                "server",
                "--port",
                "7000",
                "--bind",
                here,
                "--report",
                TwoNodes.report("job"));
        NODES.awaitFile(N1, TwoNodes.report("job"));
        NODES.migrate(N1, "job").refused(3);
        Moved moved = NODES.migrate(N1, "job", "--rebind").well();
        assertTrue(moved.err().contains("at the target's address"), moved.err());
        assertServes(there);
        NODES.migrate(N2, "job", "--rebind").well();
        assertServes(here);
        NODES.stop(N1, "job");
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    private static void assertServes(String ip) throws Exception {
        String to = (ip.contains(":") ? "[" + ip + "]" : ip) + ":7000";
        try (Outside client = Outside.start(NODES, "stream", "client", "--to", to)) {
            Thread.sleep(500);
            assertTrue(client.report().path("received").asLong() > 0, ip);
        }
    }

    /** A mapped address of an IPv6 socket, UDP, and another job's address beside the node's. */
    @Tag("long")
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "s = socket.socket(socket.AF_INET6); s.bind(('::ffff:10.77.0.1', 7000));"
                        + " s.listen() | ::ffff:10.77.0.2",
                "s = socket.socket(type=socket.SOCK_DGRAM); s.bind(('10.77.0.1', 7000)) |"
                        + " 10.77.0.2",
                "s = socket.create_server(('fd77::1', 7000), family=socket.AF_INET6) | fd77::2",
            })
    void soMayAwkwardOnes(String make, String there) throws Exception {
        String program =
                HOLDER.formatted(make, STATE)
                        .replace(
                                "time.sleep(1000)",
                                "while True:%n  open('%s', 'w').write(s.getsockname()[0]);"
                                                .formatted(STATE)
                                        + " time.sleep(0.1)");
        NODES.bash(N2, "ip address add fd77::99/64 dev eth0 nodad preferred_lft 0");
        try {
            NODES.start(N1, "job", List.of(), "python3", "-c", program);
            NODES.awaitFile(N1, STATE);
            NODES.migrate(N1, "job", "--rebind").well();
            Thread.sleep(500);
            assertEquals(there, NODES.out(N2, "cat", STATE).strip());
            NODES.stop(N2, "job");
        } finally {
            NODES.bash(N2, "ip address del fd77::99/64 dev eth0");
        }
    }

    /** Two addresses here are one there. */
    @Test
    void twoThatWouldBecomeOneAreRefused() throws Exception {
        NODES.bash(N1, "ip address add 10.77.0.50/24 dev eth0");
        try {
            String make =
                    "s = socket.create_server(('10.77.0.1', 7000));"
                            + " t = socket.create_server(('10.77.0.50', 7000))";
            NODES.start(N1, "job", List.of(), "python3", "-c", HOLDER.formatted(make, STATE));
            NODES.awaitFile(N1, STATE);
            Moved moved = NODES.migrate(N1, "job", "--rebind");
            moved.refused(3);
            assertTrue(moved.err().contains("port 7000 is taken"), moved.err());
            NODES.stop(N1, "job");
        } finally {
            NODES.bash(N1, "ip address del 10.77.0.50/24 dev eth0");
        }
    }

    /** There the port is taken at the target's address, not at the one the job has here. */
    @Test
    void theOthersPortMayBeTaken() throws Exception {
        String program = HOLDER.formatted("s = socket.create_server(('10.77.0.1', 7000))", STATE);
        NODES.start(N1, "job", List.of(), "python3", "-c", program);
        NODES.awaitFile(N1, STATE);
        String undo = make("reuse 10.77.0.2");
        try {
            Moved moved = NODES.migrate(N1, "job", "--rebind");
            moved.refused(3);
            assertTrue(moved.err().contains("port 7000 is taken"), moved.err());
        } finally {
            NODES.bash(N2, undo);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "another machine has 10.77.0.254 | --service-ip 10.77.0.254/24@eth0",
                "this node has 10.77.0.1 already | --net own --service-ip 10.77.0.1/16@eth0",
            })
    void runRefusesAnAddressThatIsTaken(String says, String options) throws Exception {
        List<String> words = new ArrayList<>(List.of("migrator", "run"));
        words.addAll(List.of(options.split(" ")));
        words.addAll(List.of(TwoNodes.IMAGE, "taken", "--", "true"));
        Command.Result result = NODES.run(N1, words.toArray(String[]::new));
        assertEquals(2, result.exit(), result.err());
        assertTrue(result.err().contains(says), result.err());
        NODES.assertAsBefore(N1);
    }
}
