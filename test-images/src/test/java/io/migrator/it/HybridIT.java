package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import io.migrator.fault.FaultPoint;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Memory that follows a job which runs on the other node already. */
class HybridIT {
    private static final long MEGA = 1 << 20;
    private static final int REFUSED = 3;
    private static final int MEGABYTES = 48;

    /** More than the link can carry: no round is shorter than the one before. */
    private static final String TOO_FAST = "60";

    private static final String NARROW = "200mbit";

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    private static JsonNode assertFollowed(Moved moved) {
        assertEquals(0, moved.exit(), moved.err());
        assertEquals("hybrid", moved.json().path("memory").asText(), moved.err());
        assertTrue(moved.json().path("lateBytes").asLong() > 0, moved.json()::toString);
        return moved.json();
    }

    private static void assertNothingLeft() throws Exception {
        for (String node : TwoNodes.BOTH) {
            assertEquals("", NODES.bash(node, "pgrep -x keeper || true"), "a keeper on " + node);
        }
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    @Test
    void whatIsWrittenTooFastFollows() throws Exception {
        NODES.startPattern(
                N1, "job", MEGABYTES, "--rate", TOO_FAST, "--processes", "2", "--threads", "2");
        for (String from : List.of(N1, N2)) {
            NODES.link(from, "rate", NARROW);
            JsonNode moved = assertFollowed(NODES.migrate(from, "job", "--memory", "hybrid"));
            NODES.link(from, "rate", "none");
            System.out.printf(
                    "%d MB followed, it stood still for %.0f ms%n",
                    moved.path("lateBytes").asLong() / MEGA, moved.path("frozenMillis").asDouble());
            NODES.verify(TwoNodes.other(from), "job");
        }
        NODES.stop(N1, "job");
        assertNothingLeft();
    }

    @Test
    void hugePagesThatFollowAreHugeAgain() throws Exception {
        NODES.startPattern(N1, "job", MEGABYTES, "--rate", TOO_FAST, "--thp");
        long before = NODES.hugeKilobytes(N1, "job");
        Assumptions.assumeTrue(before > 0, "this kernel gives no huge pages: enabled is 'never'");
        NODES.link(N1, "rate", NARROW);
        assertFollowed(NODES.migrate(N1, "job", "--memory", "hybrid"));
        NODES.link(N1, "rate", "none");
        NODES.verify(N2, "job");
        long after = NODES.hugeKilobytes(N2, "job");
        NODES.stop(N2, "job");
        assertNothingLeft();
        assertTrue(after >= 0.9 * before, after + " kB of " + before);
    }

    /** It is as pre-copy then. */
    @Test
    void whatIsWrittenSlowlyDoesNotFollow() throws Exception {
        NODES.startPattern(N1, "job", 64);
        Moved moved = NODES.migrate(N1, "job", "--memory", "hybrid");
        assertEquals(0, moved.exit(), moved.err());
        assertEquals("precopy", moved.json().path("memory").asText(), moved.err());
        NODES.verify(N2, "job");
        NODES.stop(N2, "job");
        assertNothingLeft();
    }

    /** Faults of the kernel's own are none of an ordinary user's. */
    @Test
    void anOrdinaryUserIsRefused() throws Exception {
        Person alice = NODES.as("alice");
        alice.startPattern(N1, "job", 16, "--rate", "1");
        Moved refused = alice.migrate(N1, "job", "--memory", "hybrid");
        refused.refused(REFUSED);
        assertTrue(refused.err().contains("--memory precopy"), refused.err());
        alice.verify(N1, "job");
        alice.stop(N1, "job");
    }

    /** Once the job runs on n2 it has to have all of its memory there, whoever dies. */
    @Test
    void receiverKilled() throws Exception {
        itGoesOn(FaultPoint.SOURCE_FILLING, Fault.RECEIVER);
    }

    @Tag("long")
    @ParameterizedTest
    @CsvSource({
        "SOURCE_FILLING, SSH",
        "SOURCE_FILLING, CUT_5S",
        "TARGET_RESUMING, TARGET_CRIU",
        "TARGET_RUNNING, RECEIVER",
        "TARGET_FILLING, RECEIVER",
    })
    void itGoesOn(FaultPoint point, Fault fault) throws Exception {
        Moved moved = struck(point, fault);
        assertFollowed(moved);
        assertAllOf(N2);
    }

    /** The migrator is dead: recover sends the rest. */
    @Test
    void migratorKilled() throws Exception {
        recoverGoesOn(FaultPoint.SOURCE_FILLING);
    }

    @Tag("long")
    @ParameterizedTest
    @CsvSource({"SOURCE_TAKEN", "TARGET_FILLING"})
    void recoverGoesOn(FaultPoint point) throws Exception {
        struck(point, Fault.SOURCE_JVM);
        Moved refused = NODES.migrate(N2, "job"); // what it lacks would be zeros there
        refused.refused(REFUSED);
        assertTrue(refused.err().contains("not all of its memory"), refused.err());
        NODES.out(N1, "migrator", "recover");
        assertAllOf(N2);
    }

    /** It was not let go: it runs on where it was. */
    @Tag("long")
    @ParameterizedTest
    @CsvSource({
        "TARGET_LOADED, RECEIVER",
        "TARGET_RESTORED, TARGET_CRIU",
        "TARGET_TAKEN, RECEIVER",
    })
    void itStays(FaultPoint point, Fault fault) throws Exception {
        Moved moved = struck(point, fault);
        assertEquals(1, moved.exit(), moved.err());
        assertAllOf(N1);
    }

    /** Nothing of what is loaded stays. */
    @Tag("long")
    @Test
    void aRehearsalFollowsNowhere() throws Exception {
        NODES.startPattern(N1, "job", MEGABYTES, "--rate", TOO_FAST);
        NODES.link(N1, "rate", NARROW);
        Moved moved = NODES.rehearse(N1, "job", "--memory", "hybrid");
        assertEquals(0, moved.exit(), moved.err());
        assertAllOf(N1);
    }

    private static void assertAllOf(String node) throws Exception {
        NODES.link(N1, "rate", "none");
        NODES.verify(node, "job");
        NODES.stop(node, "job");
        assertNothingLeft();
    }

    private static Moved struck(FaultPoint point, Fault fault) throws Exception {
        NODES.startPattern(N1, "job", MEGABYTES, "--rate", TOO_FAST);
        NODES.link(N1, "rate", NARROW);
        FaultBlow blow = new FaultBlow(NODES, point);
        blow.arm();
        CompletableFuture<Moved> moving =
                Moving.start(() -> NODES.migrate(N1, "job", "--memory", "hybrid"));
        blow.await(moving);
        blow.strike(fault);
        Moved moved = moving.get(120, TimeUnit.SECONDS);
        blow.heal();
        return moved;
    }
}
