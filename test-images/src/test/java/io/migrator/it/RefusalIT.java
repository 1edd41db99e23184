package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.util.List;

/** What cannot go is refused before the job is frozen, with a remedy, and nothing is left. */
class RefusalIT {
    private static final int USAGE = 2;
    private static final int REFUSED = 3;

    /**
     * A dump and restore by way of the network takes longer, a busy machine does not; one that is
     * stopped by its host may.
     */
    private static final double FROZEN_MILLIS = 400;

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    private static final StallWatch STALLS = StallWatch.start();

    private Snapshot source;
    private Snapshot target;

    @BeforeEach
    void startJob() throws Exception {
        startJob(List.of());
    }

    private void startJob(List<String> options) throws Exception {
        NODES.startPattern(N1, "job", options, 32, "--rate", "5");
        look();
    }

    private void look() throws Exception {
        source = NODES.snapshot(N1);
        target = NODES.snapshot(N2);
        NODES.report(N1, "job", "USR1");
        STALLS.longestMillis();
    }

    private void assertUntouched() throws Exception {
        JsonNode report = NODES.report(N1, "job", "USR1");
        assertTrue(report.path("ticks").asLong() > 0, report::toString);
        double stalled = STALLS.longestMillis();
        assertTrue(
                report.path("maxGapMillis").asDouble() < FROZEN_MILLIS + stalled,
                () -> "%s; all stood still for %.0f ms".formatted(report, stalled));
        NODES.verify(N1, "job");
        NODES.assertAs(N1, source);
        NODES.assertAs(N2, target);
    }

    @Test
    void unknownInstance() throws Exception {
        Moved moved = NODES.migrate(N1, "other");
        moved.refused(USAGE);
        assertTrue(moved.err().contains("'other'"), moved.err());
        assertUntouched();
    }

    @Test
    void unreachableNode() throws Exception {
        for (String node : List.of("no-such-node", "10.77.0.77", "nobody@n2")) {
            Moved moved = NODES.migrateTo(N1, "job", node);
            moved.refused(REFUSED);
            assertTrue(moved.err().contains(node.substring(node.indexOf('@') + 1)), moved.err());
        }
        NODES.migrateTo(N1, "job", "no-such-node", "--transport", "ssh").refused(REFUSED);
        assertUntouched();
    }

    @Test
    void wrongHostKey() throws Exception {
        withHostKeysOf(
                N1,
                "sed -i \"/^n2,/s| .*| $(cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub)|\"");
    }

    @Test
    void unknownHostKey() throws Exception {
        withHostKeysOf(N1, "sed -i '/^n2,/d'");
    }

    private void withHostKeysOf(String node, String edit) throws Exception {
        String files = "/root/.ssh/known_hosts /etc/ssh/ssh_known_hosts";
        NODES.bash(node, "for f in %s; do cp -p $f $f.kept; %s $f; done".formatted(files, edit));
        try {
            for (String transport : List.of("jsch", "ssh")) {
                Moved moved = NODES.migrate(node, "job", "--transport", transport);
                moved.refused(REFUSED);
                assertTrue(moved.err().contains("key"), moved.err());
            }
        } finally {
            NODES.bash(node, "for f in %s; do mv $f.kept $f; done".formatted(files));
        }
        assertUntouched();
    }

    @Test
    void imageAbsent() throws Exception {
        startWithOwnImage();
        NODES.bash(N2, "rm -f /srv/it/own.sif");
        Moved moved = NODES.migrate(N1, "job");
        moved.refused(REFUSED);
        assertTrue(moved.err().contains("/srv/it/own.sif"), moved.err());
        assertUntouched();
    }

    @Test
    void imageOfOtherSize() throws Exception {
        startWithOwnImage();
        NODES.bash(N2, "cp /shared/images/base.sif /srv/it/own.sif; echo >>/srv/it/own.sif");
        refusedForImage();
    }

    @Test
    void imageOfOtherContents() throws Exception {
        startWithOwnImage();
        NODES.bash(
                N2,
                "cp /shared/images/base.sif /srv/it/own.sif; printf x |"
                        + " dd of=/srv/it/own.sif bs=1 seek=9999999 conv=notrunc status=none");
        refusedForImage();
    }

    @Test
    void equalImageIsNoReasonToRefuse() throws Exception {
        startWithOwnImage();
        NODES.bash(N2, "cp /shared/images/base.sif /srv/it/own.sif");
        NODES.migrate(N1, "job").well();
        NODES.verify(N2, "job");
    }

    private void startWithOwnImage() throws Exception {
        NODES.stop(N1, "job");
        NODES.bash(N1, "cp /shared/images/base.sif /srv/it/own.sif");
        startJob(List.of("/srv/it/own.sif"));
    }

    private void refusedForImage() throws Exception {
        Moved moved = NODES.migrate(N1, "job");
        moved.refused(REFUSED);
        assertTrue(moved.err().contains("image"), moved.err());
        assertUntouched();
    }

    @Test
    void nameTaken() throws Exception {
        NODES.out(N2, "apptainer", "instance", "start", TwoNodes.IMAGE, "job");
        look();
        Moved moved = NODES.migrate(N1, "job");
        moved.refused(REFUSED);
        assertTrue(moved.err().contains("'job' runs on n2"), moved.err());
        assertUntouched();
    }

    @Test
    void noCriu() throws Exception {
        whileOn(
                N2,
                "mv /usr/sbin/criu /usr/sbin/criu.kept",
                "mv /usr/sbin/criu.kept /usr/sbin/criu",
                "criu");
    }

    @Test
    void criuThatDoesNotRun() throws Exception {
        whileOn(N2, "mount --bind /dev/null /usr/sbin/criu", "umount /usr/sbin/criu", "criu");
    }

    @Test
    void tooLittleMemory() throws Exception {
        whileOn(
                N2,
                "mount -t tmpfs -o nosuid,nodev,mode=1777,size=64m tmpfs /dev/shm",
                "umount /dev/shm",
                "/dev/shm on n2");
    }

    /** sshd's, and so that of all that is started by SSH. */
    @Test
    void cgroupWithTooLittleMemory() throws Exception {
        String hierarchies = NODES.bash(N2, "awk '$1 == \"memory\" { print $2 }' /proc/cgroups");
        Assumptions.assumeFalse(
                hierarchies.equals("0"),
                "version 2 of cgroups counts memory here: a cgroup of a node's cannot (see"
                        + " MemoryLimitsTest)");
        whileOn(
                N2,
                """
                mkdir /run/memory && mount -t cgroup -o memory none /run/memory && mkdir /run/memory/it &&
                    echo 200M >/run/memory/it/memory.limit_in_bytes &&
                    pgrep -o -x sshd >/run/memory/it/cgroup.procs
                """,
                """
                while read -r pid; do echo $pid >/run/memory/cgroup.procs; done </run/memory/it/cgroup.procs
                rmdir /run/memory/it && umount /run/memory && rmdir /run/memory
                """,
                "too little memory on n2");
    }

    @Test
    void noMigrator() throws Exception {
        Moved moved = NODES.migrate(N1, "job", "--remote-program", "/opt/nowhere/migrator");
        moved.refused(REFUSED);
        assertTrue(moved.err().contains("n2"), moved.err());
        assertUntouched();
    }

    /** Its parent has ended, so that it is nobody's child but appinit's. */
    @Test
    void nestedPidNamespace() throws Exception {
        String sandbox = "unshare -Upf sh -c \"sleep 1000 & exec sleep 1001\"";
        NODES.start(
                N1, "other", List.of(), "sh", "-c", "sh -c '" + sandbox + " &'; exec sleep 1002");
        NODES.bash(
                N1,
                "for _ in {1..100}; do pgrep -x -f 'sleep 1001' && break; sleep 0.05; done;"
                        + " pkill -KILL -x unshare");
        look();
        Moved moved = NODES.migrate(N1, "other");
        moved.refused(REFUSED);
        assertTrue(moved.err().contains("(sleep) is in a pid namespace of its own"), moved.err());
        assertUntouched();
    }

    @Test
    void dryRunSaysTheSameAndChangesNothing() throws Exception {
        Moved moved = NODES.migrate(N1, "job", "--dry-run");
        assertTrue(moved.exit() == 0 && moved.err().contains("can go"), moved.err());
        assertFalse(moved.err().contains("error"), moved.err());
        assertUntouched();
    }

    /** Refused while something on a node is not as it must be, and the text says what. */
    private void whileOn(String node, String spoil, String repair, String said) throws Exception {
        NODES.bash(node, spoil);
        try {
            Moved moved = NODES.migrate(N1, "job");
            moved.refused(REFUSED);
            assertTrue(moved.err().contains(said), moved.err());
        } finally {
            NODES.bash(node, repair);
        }
        assertUntouched();
    }
}
