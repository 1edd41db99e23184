package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import io.migrator.fault.FaultPoint;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Files that only one node has: they go along, or the job is refused by their name; whatever fails
 * leaves nothing on the target.
 */
class FilesIT {
    private static final int REFUSED = 3;
    private static final String SCRATCH = "/srv/scratch";
    private static final String BIND = SCRATCH + ":" + SCRATCH;
    private static final String DIRECTORY = SCRATCH + "/job";
    private static final String LOG = "/shared/it/scribe-log";
    private static final String SHM = "it-scribe";

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    private Snapshot source;
    private Snapshot target;

    @BeforeEach
    void clean() throws Exception {
        NODES.bash(N1, "mkdir -p -m 1777 /shared/it");
        for (String node : TwoNodes.BOTH) {
            NODES.bash(node, "mkdir -p /srv && rm -rf " + SCRATCH + " /dev/shm/" + SHM);
        }
        NODES.bash(N1, "rm -f " + LOG + " && mkdir -m 1777 " + SCRATCH);
    }

    @AfterEach
    void cleanUp() throws Exception {
        NODES.bash(N2, "umount " + SCRATCH + " 2>/dev/null; rm -rf /srv/elsewhere");
        clean();
        NODES.bash(N1, "rm -rf " + SCRATCH + " " + LOG);
    }

    private void start(List<String> options, String... more) throws Exception {
        start(NODES, options, more);
    }

    private void start(Person person, List<String> options, String... more) throws Exception {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "/shared/bin/scribe",
                                "--dir",
                                DIRECTORY,
                                "--log",
                                LOG,
                                "--shm",
                                SHM,
                                "--report",
                                person.reportOf("job")));
        if (more.length == 0) {
            command.addAll(List.of("--rate", "5"));
        }
        command.addAll(List.of(more));
        List<String> binds = new ArrayList<>(List.of("--bind", BIND));
        binds.addAll(options);
        person.start(N1, "job", binds, command.toArray(String[]::new));
        person.awaitFile(N1, person.reportOf("job"));
        source = NODES.snapshot(N1);
        target = NODES.snapshot(N2);
    }

    private static void check(Person person, String node) throws Exception {
        JsonNode report = person.report(node, "job", "USR2");
        assertTrue(report.path("ok").asBoolean(), report::toString);
        assertEquals(node, report.path("node").asText(), report::toString);
    }

    /** What of it is on a node: names, and nothing of ours. */
    private static String left(String node) throws Exception {
        return NODES.bash(
                node,
                "find %1$s /dev/shm/%2$s -mindepth 0 2>/dev/null | sort | tr '\\n' ' '"
                        .formatted(SCRATCH, SHM));
    }

    private static String all() {
        return "/dev/shm/%s %s %s %s ".formatted(SHM, SCRATCH, DIRECTORY, DIRECTORY + "/book")
                + "%1$s/out %1$s/sparse %1$s/still".formatted(DIRECTORY);
    }

    @Test
    void allOfThemGoThereAndBack() throws Exception {
        NODES.bash(N2, "mkdir -m 1777 " + SCRATCH);
        start(
                List.of("--writable-tmpfs"),
                "--layer",
                "/var/tmp-of-the-layer",
                "--still",
                "20",
                "--rate",
                "20");
        JsonNode checked = NODES.checked(N1, "job");
        assertTrue(checked.path("canGo").asBoolean(), checked::toString);
        for (String each : List.of("/out", "/sparse", "/book", "/still")) {
            assertEquals("carried", fate(checked, DIRECTORY + each), checked::toString);
        }
        assertEquals("carried", fate(checked, "/dev/shm/" + SHM), checked::toString);
        assertEquals("carried", fate(checked, "/var/tmp-of-the-layer"), checked::toString);
        assertEquals("shared", fate(checked, LOG), checked::toString);
        for (String from : TwoNodes.BOTH) {
            check(NODES, from);
            NODES.migrate(from, "job").well();
            check(NODES, TwoNodes.other(from));
            assertEquals(SCRATCH + " " + DIRECTORY, left(from));
            assertEquals(all(), left(TwoNodes.other(from)));
        }
        NODES.stop(N1, "job");
    }

    private static String fate(JsonNode checked, String path) {
        for (JsonNode each : checked.path("files")) {
            if (each.path("path").asText().equals(path)) {
                return each.path("what").asText();
            }
        }
        return "not told";
    }

    @Test
    void thoseOfAnOrdinaryUserGo() throws Exception {
        Person alice = NODES.as("alice");
        NODES.bash(N2, "mkdir -m 1777 " + SCRATCH);
        start(alice, List.of("--userns"));
        check(alice, N1);
        alice.migrate(N1, "job").well();
        check(alice, N2);
        assertEquals("alice 640", NODES.bash(N2, "stat -c '%U %a' " + DIRECTORY + "/out"));
        alice.stop(N2, "job");
    }

    /** What is known before the freeze is refused there, with the path. */
    @Test
    void whatIsInTheWayIsRefused() throws Exception {
        start(List.of());
        for (String way :
                List.of(
                        "mkdir -p -m 750 %s && echo mine >%s/out".formatted(DIRECTORY, DIRECTORY),
                        "mkdir -p -m 750 %1$s && mkdir %1$s/out".formatted(DIRECTORY),
                        "mkdir -p -m 700 %s".formatted(DIRECTORY),
                        "mkdir -p /srv/elsewhere && ln -s /srv/elsewhere " + SCRATCH,
                        "mkdir %1$s && mount -t tmpfs -o ro none %1$s".formatted(SCRATCH),
                        "mkdir %1$s && mount -t tmpfs -o size=1m none %1$s".formatted(SCRATCH))) {
            NODES.bash(N2, way);
            Moved moved = NODES.migrate(N1, "job");
            moved.refused(REFUSED);
            assertTrue(moved.err().contains(SCRATCH), moved.err());
            assertEquals(List.of("files"), kinds(NODES.checked(N1, "job")), way);
            NODES.bash(
                    N2, "umount %1$s 2>/dev/null; rm -rf %1$s /srv/elsewhere".formatted(SCRATCH));
            check(NODES, N1);
        }
        NODES.assertAs(N1, source);
        NODES.assertAs(N2, target);
        NODES.migrate(N1, "job", "--files", "shared").refused(REFUSED);
        NODES.stop(N1, "job");
    }

    private static List<String> kinds(JsonNode checked) {
        return checked.path("findings").findValuesAsText("check").stream().distinct().toList();
    }

    @Test
    void anotherFileIsOverwrittenOnlyWhereThatIsAllowed() throws Exception {
        start(List.of());
        NODES.bash(N2, "mkdir -p -m 750 %s && echo mine >%s/out".formatted(DIRECTORY, DIRECTORY));
        NODES.migrate(N1, "job").refused(REFUSED);
        NODES.bash(N2, "echo target-restored=fail >/etc/migrator-fault");
        NODES.migrate(N1, "job", "--allow", "overwrite").failedWithJobOn(N1);
        NODES.bash(N2, "rm /etc/migrator-fault");
        assertEquals("mine", NODES.bash(N2, "cat %s/out".formatted(DIRECTORY)));
        NODES.migrate(N1, "job", "--allow", "overwrite").well();
        check(NODES, N2);
        assertEquals(all(), left(N2));
        NODES.stop(N2, "job");
    }

    @Test
    void afterAFailureNothingIsLeft() throws Exception {
        start(List.of());
        NODES.bash(N2, "echo target-restored=fail >/etc/migrator-fault");
        NODES.migrate(N1, "job").failedWithJobOn(N1);
        NODES.bash(N2, "rm /etc/migrator-fault");
        assertEquals("", left(N2));
        check(NODES, N1);
        NODES.assertAs(N1, source);
        NODES.assertAs(N2, target);
        NODES.stop(N1, "job");
    }

    @Test
    void aRehearsalLeavesNothing() throws Exception {
        start(List.of());
        assertEquals(0, NODES.rehearse(N1, "job").exit());
        assertEquals("", left(N2));
        check(NODES, N1);
        NODES.assertAs(N2, target);
        NODES.stop(N1, "job");
    }

    @Test
    void whatADeadReceiverMadeIsRemovedByRecover() throws Exception {
        start(List.of());
        FaultBlow blow = new FaultBlow(NODES, FaultPoint.TARGET_RESTORED);
        blow.arm();
        CompletableFuture<Moved> moving = Moving.start(() -> NODES.migrate(N1, "job"));
        blow.await(moving);
        assertEquals(all(), left(N2));
        blow.signal(false, "jvm", "KILL");
        moving.get(60, TimeUnit.SECONDS).failedWithJobOn(N1);
        blow.heal();
        for (String node : TwoNodes.BOTH) {
            NODES.run(node, "migrator", "recover");
        }
        assertEquals("", left(N2));
        check(NODES, N1);
        NODES.stop(N1, "job");
    }

    /** It was not there when the target was asked. */
    @Test
    void whatAppearsInTheFreezeIsNotReplaced() throws Exception {
        start(List.of());
        Moved moved = movedWhileFrozen("echo mine >%s/out".formatted(DIRECTORY));
        moved.failedWithJobOn(N1);
        assertTrue(moved.err().contains(DIRECTORY + "/out"), moved.err());
        assertEquals("mine", NODES.bash(N2, "cat %s/out".formatted(DIRECTORY)));
        assertEquals("%1$s %2$s %2$s/out".formatted(SCRATCH, DIRECTORY), left(N2));
        check(NODES, N1);
        NODES.stop(N1, "job");
    }

    /** A file that the target has, too, is another one when the job has written to it. */
    @Test
    void whatWasTheSameIsAskedForAgain() throws Exception {
        for (String node : TwoNodes.BOTH) {
            NODES.bash(node, "mkdir -p -m 1777 %1$s && echo old >%1$s/state".formatted(SCRATCH));
        }
        startPerl(
                "open S, '<', '%1$s/state'; $x = <S>;".formatted(SCRATCH),
                "open T, '+<', '%1$s/state'; syswrite T, 'new'; open F, '>', '%1$s/late'; syswrite F, 'x'"
                        .formatted(SCRATCH));
        Moved moved = movedWhenItWent(SCRATCH + "/late");
        moved.refused(REFUSED);
        assertTrue(moved.err().contains(SCRATCH + "/state on n2 is another file"), moved.err());
        NODES.migrate(N1, "job", "--allow", "overwrite").well();
        assertEquals("new", NODES.bash(N2, "cat %s/state".formatted(SCRATCH)));
        NODES.stop(N2, "job");
    }

    /** What nobody has open is in no other way seen than by looking. */
    private static final String TREE =
            "mkdir -p %1$s/deep && echo closed >%1$s/closed && ln %1$s/closed %1$s/hard"
                    + " && ln -s closed %1$s/soft && mkfifo -m 620 %1$s/fifo"
                    + " && chmod 751 %1$s/deep && truncate -s 3M %1$s/holes";

    /** All of a tree but times of change: kinds, permissions, lengths, links, contents. */
    private static String tree(String node, String path) throws Exception {
        return NODES.bash(
                node,
                "cd %s && find . -type d -printf '%%p %%m %%u\\n' -o -printf '%%p %%y %%m %%u %%s %%n %%l %%Ts\\n' | sort"
                                .formatted(path)
                        + " && find . -type f | sort | xargs cat | md5sum"
                        + " && test closed -ef hard && cat soft");
    }

    private static String root(String node) throws Exception {
        return "/proc/%d/root".formatted(NODES.payload(node, "job"));
    }

    private static void startShell(List<String> options, String program) throws Exception {
        List<String> command = List.of("sh", "-e", "-c", program + "; echo x >$1; exec sleep 999");
        List<String> all = new ArrayList<>(command);
        all.addAll(List.of("sh", NODES.reportOf("job")));
        NODES.start(N1, "job", options, all.toArray(String[]::new));
        NODES.awaitFile(N1, NODES.reportOf("job"));
    }

    private static final String CHANGED =
            "rm /etc/debian_version /usr/bin/tac; echo new >>/etc/motd; mkdir /results; "
                    + "rm -r /usr/share/perl5; mkdir /usr/share/perl5; "
                    + TREE.formatted("/var/x");

    private static void checkChanged(String node, String before) throws Exception {
        String root = root(node);
        assertEquals(before, tree(node, root + "/var/x"));
        assertEquals(
                "new gone gone 0 results",
                NODES.bash(
                        node,
                        ("cd %s && echo $(tail -n 1 etc/motd) $(test -e etc/debian_version || echo"
                             + " gone) $(test -e usr/bin/tac || echo gone) $(ls -A usr/share/perl5"
                             + " | wc -l) $(ls -d results)")
                                .formatted(root)));
        String ours = "find %1$s/etc %1$s/var %1$s/run %1$s/usr/bin -xdev -name '.migrator-*'";
        assertEquals("", NODES.bash(node, ours.formatted(root)));
        assertEquals("", NODES.bash(node, "ls -A %s/run | grep criu || true".formatted(root)));
    }

    @Test
    void aLayerGoesWhole() throws Exception {
        startShell(List.of("--writable-tmpfs"), CHANGED);
        String before = tree(N1, root(N1) + "/var/x");
        for (String from : TwoNodes.BOTH) {
            NODES.migrate(from, "job").well();
            checkChanged(TwoNodes.other(from), before);
        }
        NODES.stop(N1, "job");
    }

    /** Directories of the node cannot hold one: they are on an overlay themselves. */
    @Test
    void anOverlayGoesWhole() throws Exception {
        String overlay = "/tmp/it-overlay";
        for (String node : TwoNodes.BOTH) {
            NODES.bash(node, "rm -rf " + overlay);
        }
        NODES.bash(
                N1,
                "mkdir -p %1$s/upper/var/old && echo old >%1$s/upper/var/old/file && touch -d 2020-01-01 %1$s/upper/var/old/file"
                        .formatted(overlay));
        startShell(List.of("--overlay", overlay, TwoNodes.IMAGE), CHANGED);
        String before = tree(N1, root(N1) + "/var/x");
        NODES.bash(N2, "echo target-restored=fail >/etc/migrator-fault");
        NODES.migrate(N1, "job").failedWithJobOn(N1);
        NODES.bash(N2, "rm /etc/migrator-fault");
        assertEquals("", NODES.bash(N2, "ls -d %s || true".formatted(overlay)));
        for (String from : TwoNodes.BOTH) {
            NODES.migrate(from, "job").well();
            String to = TwoNodes.other(from);
            checkChanged(to, before);
            assertEquals("old", NODES.bash(to, "cat %s/var/old/file".formatted(root(to))));
            assertEquals("", NODES.bash(from, "ls -A " + overlay));
        }
        NODES.bash(N2, "mkdir %s/upper".formatted(overlay));
        Moved moved = NODES.migrate(N1, "job");
        moved.refused(REFUSED);
        assertTrue(moved.err().contains(overlay + "/upper exists on n2"), moved.err());
        NODES.stop(N1, "job");
        for (String node : TwoNodes.BOTH) {
            NODES.bash(node, "rm -rf " + overlay);
        }
    }

    @Test
    void aDirectoryGoesWholeIfThatIsAskedFor() throws Exception {
        NODES.bash(N2, "mkdir -m 1777 " + SCRATCH);
        NODES.bash(N1, TREE.formatted(DIRECTORY));
        startShell(List.of("--bind", BIND), "cd " + DIRECTORY);
        String before = tree(N1, DIRECTORY);
        String told = NODES.checked(N1, "job").toString();
        assertTrue(told.contains("6 files in " + DIRECTORY + " stay here"), told);
        NODES.migrate(N1, "job", "--files", "carry").well();
        assertEquals(before, tree(N2, DIRECTORY));
        assertEquals("", NODES.bash(N1, "find %s -not -type d".formatted(SCRATCH)));

        String rules = "/shared/it/rules";
        NODES.bash(
                N2,
                "printf 'leave %1$s/ho*\\n# of the rest all\\ncarry %1$s\\n' >%2$s"
                        .formatted(DIRECTORY, rules));
        NODES.migrate(N2, "job", "--file-rules", rules).well();
        assertEquals(DIRECTORY + "/holes", NODES.bash(N2, "find %s -type f".formatted(SCRATCH)));
        NODES.bash(
                N1,
                "truncate -s 3M %1$s/holes && touch -r %1$s/closed %1$s/holes"
                        .formatted(DIRECTORY));
        assertEquals(before, tree(N1, DIRECTORY));
        NODES.bash(N2, "printf 'refuse %s\\n' >%s".formatted(SCRATCH, rules));
        NODES.migrate(N1, "job", "--file-rules", rules).refused(REFUSED);
        NODES.stop(N1, "job");
    }

    /** criu compares the length of what is not only appended to: the job must not be lost by it. */
    @Test
    void whatOthersAppendInTheFreezeCostsTheMoveAlone() throws Exception {
        String state = "/shared/it/state";
        NODES.bash(N1, "rm -f " + state);
        NODES.bash(N2, "mkdir -m 1777 " + SCRATCH);
        startPerl(
                "open S, '+>', '%s'; open L, '>>', '%s'; syswrite L, 'old '".formatted(state, LOG)
                        + "; syswrite S, 'x';",
                "syswrite L, 'new'; open G, '>', '%s/gone'; syswrite G, 'x'".formatted(SCRATCH));
        Moved moved = movedWhileFrozen("echo more >>" + state);
        moved.failedWithJobOn(N1);
        assertTrue(moved.err().contains(state.substring(1)), moved.err());
        NODES.bash(N1, "truncate -s 1 " + state);
        movedWhileFrozen("printf 'others ' >>" + LOG).well();
        NODES.bash(N2, "touch %s/go".formatted(SCRATCH));
        NODES.awaitFile(N2, SCRATCH + "/gone");
        assertEquals("old others new", NODES.bash(N2, "cat " + LOG));
        NODES.stop(N2, "job");
        NODES.bash(N1, "rm " + state);
    }

    /** A move in which something is done on n2 while the job stands still. */
    private static Moved movedWhileFrozen(String line) throws Exception {
        FaultBlow blow = new FaultBlow(NODES, FaultPoint.SOURCE_SEALED);
        blow.arm();
        CompletableFuture<Moved> moving = Moving.start(() -> NODES.migrate(N1, "job"));
        blow.await(moving);
        NODES.bash(N2, line);
        blow.release();
        Moved moved = moving.get(60, TimeUnit.SECONDS);
        blow.heal();
        return moved;
    }

    private static final String PUT_BACK =
            "while () { rename 'own', 'same' unless -e 'same'; select undef, undef, undef, .001 }";

    /** Does the first at once, and the second when a file "go" appears. */
    private static void startPerl(String first, String then) throws Exception {
        String program =
                "%s open R, '>', '%s'; print R 'x'; close R;"
                                .formatted(first, NODES.reportOf("job"))
                        + " select undef, undef, undef, .01 until -e '%s/go'; %s; sleep 1000"
                                .formatted(SCRATCH, then);
        NODES.start(N1, "job", List.of("--bind", BIND), "perl", "-e", program);
        NODES.awaitFile(N1, NODES.reportOf("job"));
    }

    /** A move in which the job goes on when all has been looked at, until that file is there. */
    private static Moved movedWhenItWent(String done) throws Exception {
        FaultBlow blow = new FaultBlow(NODES, FaultPoint.SOURCE_PREPARED);
        blow.arm();
        CompletableFuture<Moved> moving = Moving.start(() -> NODES.migrate(N1, "job"));
        blow.await(moving);
        NODES.bash(N1, "touch %s/go".formatted(SCRATCH));
        NODES.awaitFile(N1, done);
        blow.release();
        Moved moved = moving.get(60, TimeUnit.SECONDS);
        blow.heal();
        return moved;
    }

    /** What a job reads now and then of each node's own, as /etc/hosts, is not in its way. */
    @Test
    void whatIsOpenForAMomentIsNotInTheWay() throws Exception {
        for (String node : TwoNodes.BOTH) {
            NODES.bash(
                    node, "mkdir -p -m 1777 %1$s && echo %2$s >%1$s/own".formatted(SCRATCH, node));
        }
        String moments =
                "until (-e '%1$s/go') { open S, '<', '%1$s/own'; select undef, undef, undef, .02;"
                        + " close S; select undef, undef, undef, .02 } open S, '<', '%1$s/own'";
        NODES.start(
                N1,
                "job",
                List.of("--bind", BIND),
                "perl",
                "-e",
                moments.formatted(SCRATCH)
                        + "; open F, '>', '%s/late'; syswrite F, 'x'; sleep 1000"
                                .formatted(SCRATCH));
        for (int i = 0; i < 5; i++) {
            assertTrue(NODES.checked(N1, "job").path("canGo").asBoolean());
        }
        NODES.bash(N1, "touch %s/go".formatted(SCRATCH));
        NODES.awaitFile(N1, SCRATCH + "/late");
        NODES.migrate(N1, "job").refused(REFUSED); // now it stays open
    }

    /** What is in the way in the freeze alone costs an attempt, not the move. */
    @Test
    void whatPassesIsTriedAgain() throws Exception {
        for (String node : TwoNodes.BOTH) {
            NODES.bash(
                    node,
                    "mkdir -p -m 1777 %1$s && echo same >%1$s/same && echo %2$s >%1$s/own"
                            .formatted(SCRATCH, node));
        }
        startPerl("chdir '%s'; open S, '<', 'same';".formatted(SCRATCH), PUT_BACK);
        NODES.bash(N1, "touch %s/go".formatted(SCRATCH));
        FaultBlow blow = new FaultBlow(NODES, FaultPoint.SOURCE_DUMPING);
        blow.arm();
        CompletableFuture<Moved> moving = Moving.start(() -> NODES.migrate(N1, "job"));
        blow.await(moving);
        NODES.bash(N1, "mv %1$s/same %1$s/own".formatted(SCRATCH));
        blow.release();
        Moved moved = moving.get(60, TimeUnit.SECONDS);
        blow.heal();
        moved.well();
        assertTrue(moved.err().contains("migrator: trying again: " + SCRATCH), moved.err());
        NODES.stop(N2, "job");
    }

    /** One that the job opens when all has been looked at goes along, too. */
    @Test
    void aFileThatIsOpenedLateGoes() throws Exception {
        NODES.bash(N2, "mkdir -m 1777 " + SCRATCH);
        startPerl("", "open F, '>', '%s/late'; syswrite F, 'late' x 5000".formatted(SCRATCH));
        movedWhenItWent(SCRATCH + "/late").well();
        assertEquals("20000", NODES.bash(N2, "stat -c %s " + SCRATCH + "/late"));
        assertFalse(NODES.bash(N1, "ls " + SCRATCH).contains("late"));
        NODES.stop(N2, "job");
    }
}
