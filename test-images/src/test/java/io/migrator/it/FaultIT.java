package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.fault.FaultPoint;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Something dies in mid-transfer: the migration says so and where the job is, the job runs on n1
 * with every page right, n2 is clean, and the next migration succeeds.
 */
class FaultIT {
    private static final int MEGABYTES = 256;

    /** What has crossed when the fault comes; the source's criu is at its hold by then. */
    private static final long BYTES_OVER = 150_000_000;

    /** A cgroup in which none can be made. */
    private static final String BARREN = "/sys/fs/cgroup/barren";

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    private Snapshot withJob;
    private CompletableFuture<Moved> moving;

    @BeforeEach
    void startJob() throws Exception {
        NODES.startPattern(N1, "job", MEGABYTES, "--rate", "20", "--threads", "4");
        withJob = NODES.snapshot(N1);
        NODES.link(N1, "rate", "400mbit"); // some 5 s, so that a fault comes in their midst
    }

    private void startMoving(String... options) {
        moving = Moving.start(() -> NODES.migrate(N1, "job", options));
    }

    /** In a round, unless the options say that the memory goes while the job stands still. */
    private void startMovingUntilMidway(String... options) throws Exception {
        long before = receivedBytes();
        startMoving(options);
        long end = System.nanoTime() + 30_000_000_000L;
        while (receivedBytes() - before < BYTES_OVER) {
            assertFalse(moving.isDone(), () -> "over too early: " + moving);
            assertTrue(System.nanoTime() < end, "no memory arrives on n2");
        }
    }

    private static long receivedBytes() throws Exception {
        return Long.parseLong(NODES.out(N2, "cat", "/sys/class/net/eth0/statistics/rx_bytes"));
    }

    @Tag("long")
    @Test
    void receiverKilled() throws Exception {
        startMovingUntilMidway();
        kill(N2, "KILL", "$2 == \"java\" && / receive$/");
        failsAndIsUndone("n2");
    }

    @Tag("long")
    @Test
    void criuOfTargetKilled() throws Exception {
        startMovingUntilMidway();
        kill(N2, "KILL", "/criu: restore/");
        failsAndIsUndone("criu");
    }

    /** Where a cgroup cannot be made for the job, criu goes on holding it beside the seal. */
    @Tag("long")
    @Test
    void criuOfSourceKilledAtItsHold() throws Exception {
        long pid = NODES.payload(N1, "job");
        NODES.bash(
                N1,
                "mkdir %s && cd %1$s && echo 0 > cgroup.max.descendants && echo %d > cgroup.procs"
                        .formatted(BARREN, pid));
        startMovingUntilMidway("--memory", "stop");
        kill(N1, "KILL", "/criu: dump/");
        Moved moved = ended();
        NODES.bash(N1, "echo %d > %s/../cgroup.procs && rmdir %2$s".formatted(pid, BARREN));
        assertUndone(moved, "criu");
    }

    @Tag("long")
    @Test
    void sshSessionsKilled() throws Exception {
        startMovingUntilMidway();
        kill(N2, "KILL", "$2 == \"sshd-session\"");
        failsAndIsUndone("n2");
    }

    @Test
    void linkCut() throws Exception {
        startMovingUntilMidway();
        NODES.link(N2, "down");
        Moved moved = ended();
        NODES.verify(N1, "job");
        NODES.link(N2, "up");
        NODES.out(N1, "migrator", "recover"); // it could not tell n2
        assertUndone(moved, "n2");
    }

    /** The target's memory file system is full when the images come, though it had room before. */
    @Test
    void targetOutOfRoom() throws Exception {
        Snapshot target = NODES.snapshot(N2);
        NODES.bash(N2, "mount -t tmpfs -o mode=1777,size=4g tmpfs /dev/shm");
        startMoving();
        NODES.bash(
                N2,
                "for _ in {1..3000}; do"
                        + " if compgen -G '/dev/shm/migrator-root/m*/memory' >/dev/null;"
                        + " then exec mount -o remount,size=40k /dev/shm; fi;"
                        + " sleep 0.005; done; exit 9");
        Moved moved = ended();
        NODES.verify(N1, "job");
        assertEquals("", NODES.out(N2, "find", "/dev/shm", "-mindepth", "1"), "left on n2");
        NODES.bash(N2, "umount /dev/shm");
        NODES.assertAs(N2, target);
        assertUndone(moved, "/dev/shm");
    }

    @Tag("long")
    @Test
    void sourceOutOfRoom() throws Exception {
        FaultBlow blow = new FaultBlow(NODES, FaultPoint.SOURCE_DUMPING);
        blow.arm();
        startMoving();
        blow.await(moving);
        blow.strike(Fault.FULL);
        Moved moved = ended();
        blow.heal();
        assertUndone(moved, "/dev/shm is full");
    }

    @Tag("long")
    @ParameterizedTest
    @EnumSource(names = {"SOURCE_HELD", "SOURCE_LOADED"})
    void jobThatEndsElsewhere(FaultPoint point) throws Exception {
        jobThatEndsMeanwhile(point);
    }

    /** Where the job is then is nowhere, and no word of it running on. */
    @ParameterizedTest
    @EnumSource(names = "SOURCE_SEALED")
    void jobThatEndsMeanwhile(FaultPoint point) throws Exception {
        FaultBlow blow = new FaultBlow(NODES, point);
        blow.arm();
        startMoving();
        blow.await(moving);
        NODES.bash(N1, "kill -KILL " + NODES.payload(N1, "job"));
        blow.heal();
        Moved moved = ended();
        assertEquals(1, moved.exit(), moved.err());
        assertTrue(moved.err().contains("its job ended meanwhile"), moved.err());
        NODES.stop(N1, "job");
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    @Test
    void cancelledByInterrupt() throws Exception {
        startMovingUntilMidway();
        kill(N1, "INT", "$2 == \"java\" && / migrate job /");
        failsAndIsUndone("cancelled");
    }

    @Tag("long")
    @Test
    void cancelledByTerminate() throws Exception {
        startMovingUntilMidway();
        kill(N1, "TERM", "$2 == \"java\" && / migrate job /");
        failsAndIsUndone("cancelled");
    }

    /** Signals the processes of a node that an awk condition picks; there has to be one. */
    private static void kill(String node, String signal, String condition) throws Exception {
        String pids =
                NODES.bash(
                        node,
                        "ps -ww -eo pid=,comm=,args= | awk -v own=$$ '$1 != own && $2 != \"awk\""
                                + " && $2 != \"bash\" && ("
                                + condition
                                + ") { print $1 }'");
        assertFalse(pids.isEmpty(), "no process on " + node + " fits " + condition);
        NODES.bash(node, "kill -" + signal + " " + pids.replace('\n', ' '));
    }

    private Moved ended() throws InterruptedException {
        try {
            return moving.get(100, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new AssertionError("the migration does not end", e);
        }
    }

    private void failsAndIsUndone(String said) throws Exception {
        assertUndone(ended(), said);
    }

    private void assertUndone(Moved moved, String said) throws Exception {
        moved.failedWithJobOn(N1);
        assertTrue(moved.err().contains(said), moved.err());
        NODES.verify(N1, "job");
        NODES.assertAs(N1, withJob);
        NODES.assertAsBefore(N2);

        NODES.link(N1, "rate", "none");
        NODES.migrate(N1, "job").well();
        assertEquals(MEGABYTES * 256, NODES.verify(N2, "job").path("pages").asInt(), "pages on n2");
        NODES.stop(N2, "job");
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }
}
