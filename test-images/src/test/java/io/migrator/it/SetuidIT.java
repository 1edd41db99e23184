package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import io.migrator.fault.FaultPoint;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * alice moves instances that Apptainer's setuid starter made, through the root entry: her JVM and
 * criu are hers, and root only opens the door.
 */
class SetuidIT extends OwnInstances {
    private static final int REFUSED = 3;

    @BeforeAll
    static void installEntry() throws Exception {
        NODES.setUp();
    }

    @AfterAll
    static void removeEntry() throws Exception {
        for (String node : TwoNodes.BOTH) {
            NODES.bash(node, "rm -rf /etc/sudoers.d/migrator /var/lib/migrator/{foothold,allow-*}");
        }
    }

    @Test
    void javaAndCriuAreHers() throws Exception {
        alice.startPattern(N1, "job", MEGABYTES);
        for (List<String> seen : whoRuns(() -> alice.migrate(N1, "job").well())) {
            for (String name : List.of("java", "foothold", "ld.so", "appinit")) {
                assertTrue(seen.contains("1000 " + name), () -> "the watch is blind: " + seen);
            }
            for (String name : List.of("java", "ld.so", "criu", "migrator")) {
                assertFalse(seen.contains("0 " + name), seen::toString);
            }
        }
        alice.stop(N2, "job");
    }

    /** What is hidden from an ordinary user's criu, and a filter that criu must hold off. */
    @Tag("long")
    @ParameterizedTest
    @ValueSource(strings = {"inotify on a shared directory", "seccomp filter"})
    void moreThatNeedsMoreRights(String kind) throws Exception {
        whatNeedsMoreRights(kind);
    }

    @ParameterizedTest
    @ValueSource(strings = "pseudo-terminal of its own")
    void whatNeedsMoreRights(String kind) throws Exception {
        Kinds.put(NODES);
        Kinds.start(alice, kind);
        for (String from : TwoNodes.BOTH) {
            Kinds.assertWorks(alice, from, kind);
            alice.migrate(from, "job").well();
            Kinds.assertWorks(alice, TwoNodes.other(from), kind);
        }
    }

    /** What criu needed to hold a seccomp filter off it has no more when the job can answer it. */
    @Test
    void criuIsNoAdministratorWhenItDumps() throws Exception {
        Kinds.put(NODES);
        Kinds.start(alice, "seccomp filter");
        FaultBlow hold = new FaultBlow(NODES, FaultPoint.SOURCE_HELD);
        hold.arm();
        CompletableFuture<Moved> moving = Moving.start(() -> alice.migrate(N1, "job"));
        hold.await(moving);
        String capabilities = NODES.bash(N1, "grep -h ^Cap /proc/$(pgrep -o -x ld.so)/status");
        hold.release();
        hold.heal();
        moving.get(60, TimeUnit.SECONDS).well();
        String checkpointRestore = "0000010000000000";
        for (String set : List.of("CapPrm", "CapEff")) {
            assertTrue(capabilities.contains(set + ":\t" + checkpointRestore), capabilities);
        }
        for (String set : List.of("CapInh", "CapAmb")) { // of what criu would start
            assertTrue(capabilities.contains(set + ":\t0000000000000000"), capabilities);
        }
        Kinds.assertWorks(alice, N2, "seccomp filter");
    }

    /** Unless root says so, no capability that opens a door. */
    @Tag("long")
    @ParameterizedTest
    @ValueSource(strings = "seccomp filter")
    void moreThatRootDidNotAllow(String kind) throws Exception {
        whatRootDidNotAllow(kind);
    }

    @ParameterizedTest
    @ValueSource(strings = "inotify on a shared directory")
    void whatRootDidNotAllow(String kind) throws Exception {
        Kinds.put(NODES);
        Kinds.start(alice, kind);
        NODES.bash(N1, "migrator setup >/dev/null");
        Moved moved = alice.migrate(N1, "job");
        NODES.setUp();
        moved.refused(REFUSED);
        assertTrue(
                moved.err().contains("migrator setup --allow " + kind.split(" ")[0]), moved.err());
        Kinds.assertWorks(alice, N1, kind);
    }

    @Test
    void aConnectionIsRefused() throws Exception {
        Kinds.put(NODES);
        Kinds.start(alice, "TCP connection inside");
        Snapshot before = NODES.snapshot(N1);
        Moved moved = alice.migrate(N1, "job");
        moved.refused(REFUSED);
        assertTrue(moved.err().contains("connection"), moved.err());
        Kinds.assertWorks(alice, N1, "TCP connection inside");
        NODES.assertAs(N1, before);
        NODES.assertAsBefore(N2);
    }

    @Test
    void withoutTheEntry() throws Exception {
        alice.startPattern(N1, "job", MEGABYTES);
        NODES.out(N2, "mv", "/etc/sudoers.d/migrator", "/etc/migrator-sudoers");
        try {
            JsonNode checked = alice.checked(N1, "job");
            assertEquals(List.of("root-entry"), checked.path("findings").findValuesAsText("check"));
            assertTrue(checked.toString().contains("n2"), checked::toString);
            alice.migrate(N1, "job").refused(REFUSED);
            alice.verify(N1, "job");
        } finally {
            NODES.out(N2, "mv", "/etc/migrator-sudoers", "/etc/sudoers.d/migrator");
        }
        alice.migrate(N1, "job").well();
        alice.verify(N2, "job");
    }

    /** As on many nodes that have the setuid starter; there criu cannot compare the processors. */
    @Test
    void withoutUserNamespaces() throws Exception {
        alice.startPattern(N1, "job", MEGABYTES);
        String unshare = "/usr/local/bin/unshare";
        String lacking = "#!/bin/sh\\ntouch /tmp/it-unshared\\nexit 1\\n";
        for (String node : TwoNodes.BOTH) {
            NODES.bash(node, "printf '%1$s' >%2$s; chmod 755 %2$s".formatted(lacking, unshare));
        }
        Moved moved = alice.migrate(N1, "job");
        for (String node : TwoNodes.BOTH) {
            NODES.bash(node, "rm " + unshare + " /tmp/it-unshared"); // both were asked for it
        }
        moved.well();
        alice.verify(N2, "job");
    }

    /** criu gets its limits from sudo, and a job from criu. */
    @Test
    void whereSudoLowersALimit() throws Exception {
        alice.start(N1, "job", List.of(), "sh", "-c", "ulimit -c 100; exec sleep 1000");
        NODES.out(N2, "sed", "-i", "s/, rlimit_core=user//", "/etc/sudoers.d/migrator");
        Moved moved = alice.migrate(N1, "job");
        NODES.setUp();
        moved.refused(REFUSED);
        assertTrue(moved.err().contains("(core file size)"), moved.err());
    }

    /** Apptainer would make an instance with a user namespace there. */
    @Test
    void wherePrivilegedInstancesAreForbidden() throws Exception {
        String conf = "/etc/apptainer/apptainer.conf";
        alice.startPattern(N1, "job", MEGABYTES);
        NODES.out(N2, "sed", "-i", "s/^allow setuid = yes/allow setuid = no/", conf);
        try {
            Moved moved = alice.migrate(N1, "job");
            moved.refused(REFUSED);
            assertTrue(moved.err().contains("another kind of instance"), moved.err());
            alice.verify(N1, "job");
            NODES.assertAsBefore(N2);
        } finally {
            NODES.out(N2, "sed", "-i", "s/^allow setuid = no/allow setuid = yes/", conf);
        }
    }
}
