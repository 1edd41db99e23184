package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import io.migrator.fault.FaultPoint;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A connection through loopback inside an instance loses, doubles and changes nothing. */
class StreamIT {
    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    @Test
    void bothEndsGoOn() throws Exception {
        goOn(NODES);
    }

    /** An ordinary user has the rights that it takes over a network of his own. */
    @Test
    void bothEndsGoOnInAUsersOwnNetwork() throws Exception {
        goOn(NODES.as("alice"), "--userns", "--net", "own");
    }

    /** No lock was made for it: what is acknowledged while criu reads could be lost. */
    @Test
    void aConnectionThatIsMadeTooLateForALockCostsAnAttempt() throws Exception {
        Person alice = NODES.as("alice");
        String server = alice.directoryOf("job") + "/server";
        String client = alice.directoryOf("job") + "/client";
        String go = alice.directoryOf("job") + "/go";
        alice.start(
                N1,
                "job",
                List.of("--userns", "--net", "own"),
                "sh",
                "-c",
                "/shared/bin/stream server --port 7070 --bind 127.0.0.1 --report %s & "
                                .formatted(server)
                        + "until [ -e %s ]; do sleep 0.1; done; ".formatted(go)
                        + "/shared/bin/stream client --to 127.0.0.1:7070 --report %s; wait"
                                .formatted(client));
        alice.awaitFile(N1, server);
        FaultBlow prepared = new FaultBlow(NODES, FaultPoint.SOURCE_PREPARED);
        prepared.arm();
        CompletableFuture<Moved> moving = Moving.start(() -> alice.migrate(N1, "job"));
        try {
            prepared.await(moving);
            alice.bash(N1, "touch " + go);
            alice.awaitFile(N1, client);
            prepared.release();
            Moved moved = moving.get(120, TimeUnit.SECONDS);
            moved.well();
            assertTrue(
                    moved.err().contains("trying again: the job connected to itself"), moved.err());
        } finally {
            prepared.heal();
        }
        assertFlows(N2, server, client);
        alice.stop(N2, "job");
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    private static void goOn(Person person, String... mode) throws Exception {
        String server = person.directoryOf("job") + "/server";
        String client = person.directoryOf("job") + "/client";
        person.start(
                N1,
                "job",
                List.of(mode),
                "sh",
                "-c",
                "/shared/bin/stream server --port 7070 --bind 127.0.0.1 --report %s & sleep 0.2; "
                                .formatted(server)
                        + "/shared/bin/stream client --to 127.0.0.1:7070 --report %s; wait"
                                .formatted(client));
        person.awaitFile(N1, client);
        assertFlows(N1, server, client);
        assertEquals(0, person.rehearse(N1, "job").exit());
        assertFlows(N1, server, client);
        person.migrate(N1, "job").well();
        assertFlows(N2, server, client);
        person.migrate(N2, "job").well();
        assertFlows(N1, server, client);
        person.stop(N1, "job");
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    private static void assertFlows(String node, String... files) throws Exception {
        for (String file : files) {
            String words = "stream " + file.substring(file.lastIndexOf('/') + 1);
            long pid =
                    Long.parseLong(
                            NODES.bash(
                                    node,
                                    "ps -eo pid=,comm=,args= | awk '$2 == \"stream\" && /%s/"
                                                    .formatted(words)
                                            + " { print $1 }'"));
            JsonNode first = NODES.report(node, file, pid, "USR1");
            Thread.sleep(1000);
            JsonNode second = NODES.report(node, file, pid, "USR1");
            assertEquals(0, second.path("errors").asLong(), second::toString);
            assertEquals(0, second.path("lost").asLong(), second::toString);
            assertEquals(1, second.path("connections").asLong(), second::toString);
            assertEquals(node, second.path("node").asText(), second::toString);
            for (String way : List.of("sent", "received")) {
                assertTrue(
                        second.path(way).asLong() > first.path(way).asLong(),
                        () -> way + ": " + first + ", then " + second);
            }
        }
    }
}
