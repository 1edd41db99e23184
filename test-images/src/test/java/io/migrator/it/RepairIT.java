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

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * criu dies on the source while it has the job's connection in its hands: the job's next call on
 * that connection works, and so does the next move.
 *
 * <p>Kills in the midst of a dump are behind {@code -Plong}: about one in ten takes a process of
 * the job with it, which is decision 0010's exception and makes such a test fail as it should.
 */
class RepairIT {
    /** Ends criu, and what else is named, as soon as a text appears in the log of the dump. */
    private static final String KILLER =
            """
            import glob, os, sys, time
            text, names = sys.argv[1].encode(), sys.argv[2:]
            def processes():
                for pid in filter(str.isdigit, os.listdir('/proc')):
                    try:
                        name = open('/proc/%s/comm' % pid).read().strip()
                        yield int(pid), name, open('/proc/%s/cmdline' % pid, 'rb').read()
                    except OSError:
                        pass
            end = time.time() + 30
            foothold, criu = None, []
            while foothold is None and time.time() < end:
                foothold = next((pid for pid, name, _ in processes() if name == 'foothold'), None)
            others = [pid for pid, name, line in processes()
                      if name in names and (name != 'java' or b'migrate' in line)]
            while not criu and time.time() < end:
                criu = open('/proc/%d/task/%d/children' % (foothold, foothold)).read().split()
            while time.time() < end:
                logs = glob.glob('/dev/shm/migrator-root/m*/dump.log')
                if logs and text in open(logs[0], 'rb').read():
                    for pid in others + [int(criu[0])]:
                        os.kill(pid, 9)
                    sys.exit(0)
            sys.exit(9)
            """;

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    private Snapshot withJob;

    private void startTalk(String... options) throws Exception {
        List<String> command =
                new ArrayList<>(
                        List.of("/shared/bin/converse", "--report", TwoNodes.report("job")));
        command.addAll(List.of(options));
        NODES.start(N1, "job", List.of(), command.toArray(String[]::new));
        NODES.awaitFile(N1, TwoNodes.report("job"));
        withJob = NODES.snapshot(N1);
    }

    private static Moved migrateWhileKilling(String text, String... others) throws Exception {
        List<String> command = new ArrayList<>(List.of("python3", "-c", KILLER, text));
        command.addAll(List.of(others));
        CompletableFuture<String> killer =
                Moving.start(() -> NODES.out(N1, command.toArray(String[]::new)));
        Moved moved = NODES.migrate(N1, "job");
        killer.get(60, TimeUnit.SECONDS);
        return moved;
    }

    /** The text is logged just before criu turns repair mode on. */
    @Tag("long")
    @Test
    void criuKilledWhileItReadsAConnection() throws Exception {
        startTalk();
        migrateWhileKilling("Dumping TCP connection").failedWithJobOn(N1);
        assertUndoneAndMoves();
    }

    /** A job in two cgroups stands still by criu's hold: without that it may not go. */
    @Test
    void criuKilledAtTheHold() throws Exception {
        startTalk();
        NODES.bash(
                N1,
                "mkdir /sys/fs/cgroup/spread;"
                        + " pgrep -n -x converse >/sys/fs/cgroup/spread/cgroup.procs");
        withJob = NODES.snapshot(N1);
        FaultBlow blow = new FaultBlow(NODES, FaultPoint.SOURCE_SEALED);
        blow.arm();
        CompletableFuture<Moved> moving = Moving.start(() -> NODES.migrate(N1, "job"));
        blow.await(moving);
        blow.strike(Fault.SOURCE_CRIU);
        moving.get(60, TimeUnit.SECONDS).failedWithJobOn(N1);
        blow.heal();
        assertUndone();
        NODES.bash(
                N1, "cd /sys/fs/cgroup && cat spread/cgroup.procs >cgroup.procs && rmdir spread");
        assertMoves();
    }

    @Tag("long")
    @Test
    void criuKilledWhileAnIdleConnectionIsRead() throws Exception {
        startTalk("--idle", "500");
        migrateWhileKilling("Dumping TCP connection").failedWithJobOn(N1);
        assertUndoneAndMoves();
    }

    /** The network lock is left then, and recover removing it is all that the stream needs. */
    @Tag("long")
    @Test
    void allOfTheSourceKilledWhileItReadsAConnection() throws Exception {
        startTalk();
        Moved moved = migrateWhileKilling("Dumping TCP connection", "java", "foothold");
        assertEquals(128 + 9, moved.exit(), moved.err());
        for (String node : TwoNodes.BOTH) {
            NODES.out(node, "migrator", "recover");
        }
        assertUndoneAndMoves();
    }

    private void assertUndoneAndMoves() throws Exception {
        assertUndone();
        String left =
                NODES.bash(
                        N1,
                        "for pid in $(pgrep -x converse); do cat /proc/$pid/maps; done |"
                                + " grep -c /memfd:CRIUMFD ||:");
        Moved checked = NODES.migrate(N1, "job", "--dry-run");
        assertEquals(!left.equals("0"), checked.err().contains("that a criu left"), checked.err());
        assertMoves();
    }

    private void assertUndone() throws Exception {
        assertTalks(N1);
        NODES.assertAs(N1, withJob);
        NODES.assertAsBefore(N2);
    }

    private void assertMoves() throws Exception {
        for (String from : TwoNodes.BOTH) {
            Moved moved = NODES.migrate(from, "job"); // perhaps with a warning of what criu left
            assertEquals(0, moved.exit(), moved.err());
            assertTalks(TwoNodes.other(from));
        }
        NODES.stop(N1, "job");
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    private static void assertTalks(String node) throws Exception {
        JsonNode first = NODES.report(node, "job", "USR2");
        Thread.sleep(3000); // longer than a sender waits that was cut off for the time of a dump
        JsonNode second = NODES.report(node, "job", "USR2");
        assertEquals("[]", second.path("errorTexts").toString(), second::toString);
        assertTrue(second.path("ok").asBoolean(), second::toString);
        assertEquals(node, second.path("node").asText(), second::toString);
        for (String way : List.of("sent", "received")) {
            for (int side = 0; side < 2; side++) {
                assertTrue(
                        second.path(way).path(side).asLong() > first.path(way).path(side).asLong(),
                        () -> way + ": " + first + ", then " + second);
            }
        }
    }
}
