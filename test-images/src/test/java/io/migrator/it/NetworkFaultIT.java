package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.fault.FaultPoint;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Crashes and cut links at steps of a move, while another machine talks to the job: its connection
 * lives where the job lives, and nothing of its address is left elsewhere.
 */
class NetworkFaultIT {
    private static final String DELETE_LOCKS =
            "nft list tables | while read -r _ family name; do nft delete table $family $name;"
                    + " done";

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    /** One case of many: {@code FaultTableIT -Dfaults.way=stream} and {@code own}. */
    @Test
    void connectionLivesWithTheJob() throws Exception {
        FaultCase each = FaultTable.load().named("source-granting source-side");
        FaultSeen seen = FaultRig.run(NODES, FaultWay.STREAM, each);
        assertEquals("", seen.differs(each.streaming()));
    }

    /**
     * Somebody is in its network namespace, which ends no sooner: nothing of the job's is there.
     */
    @Test
    void itsLinksGoBeforeItsInstance() throws Exception {
        serve("--net", "own");
        Snapshot withJob = NODES.snapshot(N1);
        FaultBlow blow = new FaultBlow(NODES, FaultPoint.TARGET_LOADED);
        try (Outside client = client()) {
            blow.arm();
            CompletableFuture<Moved> moving = Moving.start(() -> NODES.migrate(N1, "job"));
            blow.await(moving);
            String join = "exec nsenter -t $(pgrep -x appinit) -n sleep 60 >/dev/null 2>&1";
            NODES.bash(N2, "(" + join + ") & echo $! >/run/it-joined; sleep 0.5");
            String links = "nsenter -t $(cat /run/it-joined) -n ip -o link | grep -vc ' lo:' || :";
            assertEquals("1", NODES.bash(N2, links));
            blow.signal(true, "jvm", "TERM");
            blow.release();
            moving.get(100, TimeUnit.SECONDS).failedWithJobOn(N1);
            assertEquals("0", NODES.bash(N2, links));
            assertEquals("established", client.report().path("state").asText());
        }
        NODES.bash(N2, "kill $(cat /run/it-joined); rm /run/it-joined");
        blow.heal();
        NODES.assertAs(N1, withJob);
        NODES.assertAsBefore(N2);
    }

    /** The source's node was put right by hand, and the job came back: its address is its own. */
    @Test
    void aStaleJournalTakesNothingFromAJobThatCameBack() throws Exception {
        serve();
        try (Outside client = client()) {
            FaultBlow blow = new FaultBlow(NODES, FaultPoint.SOURCE_GONE);
            blow.arm();
            CompletableFuture<Moved> moving = Moving.start(() -> NODES.migrate(N1, "job"));
            blow.await(moving);
            blow.strike(Fault.SOURCE_JVM);
            moving.get(60, TimeUnit.SECONDS);
            blow.heal();
            NODES.bash(
                    N1,
                    "apptainer -q instance stop job; ip address del "
                            + FaultJob.ADDRESS
                            + "/24 dev eth0; true");
            NODES.bash(N1, DELETE_LOCKS);
            NODES.migrate(N2, "job").well();
            NODES.out(N1, "migrator", "recover");
            assertEquals("established", client.report().path("state").asText());
            assertEquals(0, client.report().path("errors").asInt());
            assertEquals(1, NODES.listed(N1, "job").path("processes").asInt());
            NODES.out(N1, "test", "-f", TwoNodes.report("job"));
        }
        NODES.stop(N1, "job");
        NODES.bash(N1, "ip address del " + FaultJob.ADDRESS + "/24 dev eth0");
    }

    /** What cannot be removed on the source is told, and recover removes it later. */
    @Test
    void whatIsLeftOnTheSourceIsRemembered() throws Exception {
        serve();
        try (Outside client = client()) {
            FaultBlow blow = new FaultBlow(NODES, FaultPoint.SOURCE_TAKEN);
            blow.arm();
            CompletableFuture<Moved> moving = Moving.start(() -> NODES.migrate(N1, "job"));
            blow.await(moving);
            NODES.bash(N1, "mount --bind /bin/false /usr/sbin/nft");
            Moved moved;
            try {
                blow.release();
                moved = moving.get(60, TimeUnit.SECONDS);
            } finally {
                NODES.bash(N1, "umount /usr/sbin/nft");
            }
            blow.heal();
            assertEquals(0, moved.exit(), moved.err());
            assertTrue(moved.err().contains("left to migrator recover"), moved.err());
            NODES.out(N1, "migrator", "recover");
            NODES.assertAsBefore(N1);
            assertEquals("established", client.report().path("state").asText());
        }
        NODES.stop(N2, "job");
        NODES.bash(N2, "ip address del " + FaultJob.ADDRESS + "/24 dev eth0");
        NODES.assertAsBefore(N2);
    }

    /** And so it is on a target that gave up. */
    @Tag("long")
    @Test
    void whatIsLeftOnTheTargetIsRemembered() throws Exception {
        serve();
        Snapshot withJob = NODES.snapshot(N1);
        try (Outside client = client()) {
            FaultBlow blow = new FaultBlow(NODES, FaultPoint.TARGET_LOADED);
            blow.arm();
            CompletableFuture<Moved> moving = Moving.start(() -> NODES.migrate(N1, "job"));
            blow.await(moving);
            NODES.bash(N2, "mount --bind /bin/false /usr/sbin/nft");
            Moved moved;
            try {
                blow.signal(true, "jvm", "INT");
                blow.release();
                moved = moving.get(100, TimeUnit.SECONDS);
                assertEquals(1, moved.exit(), moved.err());
                assertTrue(moved.err().contains("left to migrator recover"), moved.err());
                assertEquals("established", client.report().path("state").asText());
            } finally {
                NODES.bash(N2, "umount /usr/sbin/nft");
            }
            blow.heal();
            NODES.bash(N2, "ip address show dev eth0 | grep -q " + FaultJob.ADDRESS);
            NODES.out(N2, "migrator", "recover");
            NODES.bash(N2, "! ip address show dev eth0 | grep -q " + FaultJob.ADDRESS);
            NODES.bash(N2, "! nft list tables | grep -q migrator");
            NODES.out(N1, "migrator", "recover");
            NODES.assertAs(N1, withJob);
            NODES.migrate(N1, "job").well();
            assertEquals(0, client.report().path("errors").asInt());
        }
        NODES.stop(N2, "job");
        NODES.bash(N2, "ip address del " + FaultJob.ADDRESS + "/24 dev eth0");
        NODES.bash(N2, "rm -rf /dev/shm/migrator-root"); // a tombstone
    }

    private static void serve(String... more) throws Exception {
        List<String> options = new ArrayList<>(FaultJob.SERVICE);
        options.addAll(List.of(more));
        NODES.start(
                N1,
                "job",
                options,
                "/shared/bin/stream",
                "server",
                "--port",
                "7000",
                "--report",
                TwoNodes.report("job"));
        NODES.awaitFile(N1, TwoNodes.report("job"));
    }

    private static Outside client() throws Exception {
        return Outside.start(NODES, "stream", "client", "--to", FaultJob.ADDRESS + ":7000");
    }

    /** It may have run on the target: what its peers know is not what it knows. */
    @Test
    void takenBackItsConnectionsEndAtOnce() throws Exception {
        serve();
        try (Outside client = client()) {
            FaultBlow blow = new FaultBlow(NODES, FaultPoint.SOURCE_GRANTING);
            blow.arm();
            CompletableFuture<Moved> moving = Moving.start(() -> NODES.migrate(N1, "job"));
            blow.await(moving);
            NODES.link(N2, "down");
            blow.strike(Fault.SOURCE_JVM);
            moving.get(60, TimeUnit.SECONDS);
            assertEquals(4, NODES.run(N1, "migrator", "recover").exit());
            assertEquals("established", client.report().path("state").asText());
            String id =
                    NODES.bash(
                            N1, "basename $(compgen -G '/dev/shm/migrator-root/journal/m*[0-9]')");
            NODES.run(N1, "migrator", "recover", "--take-back", id);
            Thread.sleep(1000);
            assertEquals("Connection reset by peer", client.last().path("state").asText());
            blow.heal();
        }
        try (Outside client = client()) {
            Thread.sleep(500);
            assertEquals(0, client.report().path("errors").asInt());
        }
        NODES.link(N2, "up");
        NODES.out(N1, "migrator", "recover");
    }
}
