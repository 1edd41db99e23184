package io.migrator.ssh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.problem.Problem;

import org.junit.jupiter.api.Test;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

class JschRouteTest {

    private static final SshSettings.Local LOCAL =
            new SshSettings.Local("alice", Path.of("/home/alice"), null);

    /** The hops to a node, by what each host's configuration says. */
    private static List<String> hops(Map<String, String> proxyJumps) throws Exception {
        JschRoute route =
                JschRoute.find(
                        new Destination(null, "node"),
                        (to, port) -> settings(to, port, proxyJumps));
        return route.hops().stream()
                .map(hop -> hop.user() + "@" + hop.hostName() + ":" + hop.port())
                .toList();
    }

    private static SshSettings settings(
            Destination to, OptionalInt port, Map<String, String> proxyJumps) {
        List<String> lines = new ArrayList<>();
        port.ifPresent(number -> lines.add("port " + number));
        lines.add("proxyjump " + proxyJumps.getOrDefault(to.host(), "none"));
        return SshSettings.parse(lines, to, LOCAL);
    }

    @Test
    void straightToTheNode() throws Exception {
        assertEquals(List.of("alice@node:22"), hops(Map.of()));
    }

    @Test
    void throughOneHostAfterTheOther() throws Exception {
        assertEquals(
                List.of("bob@gate:2200", "alice@in:22", "alice@node:22"),
                hops(Map.of("node", "bob@gate:2200,ssh://in/")));
    }

    @Test
    void theFirstJumpMayNeedAJumpButLaterOnesWereNamed() throws Exception {
        assertEquals(
                List.of("alice@out:22", "alice@gate:22", "alice@in:22", "alice@node:22"),
                hops(Map.of("node", "gate,in", "gate", "out", "in", "nowhere")));
    }

    @Test
    void aCircleIsRefused() {
        Problem problem =
                assertThrows(Problem.class, () -> hops(Map.of("node", "gate", "gate", "node")));
        assertTrue(problem.what().contains("more than 8 hops"), problem.what());
    }

    @Test
    void whatAnyHopNeedsIsAnObstacle() throws Exception {
        JschRoute route =
                JschRoute.find(
                        new Destination(null, "node"),
                        (to, _) -> SshSettings.parse(List.of("proxycommand nc %h %p"), to, LOCAL));
        assertEquals(List.of("proxycommand nc %h %p"), route.obstacles());
    }
}
