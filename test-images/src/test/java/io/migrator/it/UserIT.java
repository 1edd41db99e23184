package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * alice moves her own instances without any privilege: they are in user namespaces that she owns.
 */
class UserIT {
    private static final int MEGABYTES = 64;
    private static final int USAGE = 2;
    private static final int REFUSED = 3;
    private static final String SANDBOX = "/shared/it/sandbox";

    /** Lists, until a file is there, what of ours runs and as whom, a line "UID NAME" each. */
    private static final String WATCH =
            """
            names=' (java|foothold|criu|ld.so|apptainer|starter|starter-suid|appinit|migrator)$'
            while [[ ! -e /run/it-watched ]]; do
                ps -eo uid=,comm= | grep -E "$names" | awk '{ print $1, $2 }'
                sleep 0.005
            done | sort -u
            rm /run/it-watched
            """;

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    private final Person alice = NODES.as("alice");

    private static List<String> userNamespace(String... options) {
        List<String> all = new ArrayList<>(List.of("--userns"));
        for (String option : options) {
            if (!option.isEmpty()) {
                all.add(option);
            }
        }
        return all;
    }

    /** The image's file system is in view by FUSE, an overlay, or as it is. */
    @ParameterizedTest
    @ValueSource(
            strings = {"", "--underlay", SANDBOX, "--underlay " + SANDBOX, "--writable " + SANDBOX})
    void goesThereAndBack(String options) throws Exception {
        if (options.endsWith(SANDBOX)) {
            makeSandbox();
        }
        alice.startPattern(
                N1,
                "job",
                userNamespace(options.split(" ")),
                MEGABYTES,
                "--rate",
                "20",
                "--threads",
                "4");
        for (String from : TwoNodes.BOTH) {
            alice.migrate(from, "job").well();
            JsonNode report = alice.verify(TwoNodes.other(from), "job");
            assertEquals(MEGABYTES * 256, report.path("pages").asInt(), report::toString);
        }
        alice.stop(N1, "job");
        assertNothingLeft();
    }

    private void makeSandbox() throws Exception {
        NODES.bash(
                N1,
                "[[ -d %1$s ]] || { mkdir -p /shared/it && chown alice: /shared/it; }"
                        .formatted(SANDBOX));
        alice.bash(
                N1,
                "[[ -d %1$s ]] || apptainer build --sandbox %1$s %2$s >/dev/null 2>&1"
                        .formatted(SANDBOX, TwoNodes.IMAGE));
    }

    private static void assertNothingLeft() throws Exception {
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    /** Fork trees, pipes, sockets, memory files, locks, deleted files, timers, all clocks. */
    @Test
    void treeOfManyKinds() throws Exception {
        alice.start(
                N1,
                "zoo",
                userNamespace(),
                "/shared/bin/zoo",
                "--dir",
                alice.directoryOf("zoo"),
                "--report",
                alice.reportOf("zoo"));
        alice.awaitFile(N1, alice.reportOf("zoo"));
        for (String from : TwoNodes.BOTH) {
            Thread.sleep(3500); // longer than zoo lets a timer be silent, see SILENT_NANOS
            alice.migrate(from, "zoo").well();
            Thread.sleep(3500);
            JsonNode report = alice.report(TwoNodes.other(from), "zoo", "USR2");
            assertTrue(report.path("ok").asBoolean(), report::toString);
            assertEquals(20, report.path("processes").asInt(), report::toString);
        }
        alice.stop(N1, "zoo");
        assertNothingLeft();
    }

    /** Programs of the image have it mapped, and processes come and go at any moment. */
    @Test
    void shellThatForksAllTheTime() throws Exception {
        alice.start(
                N1,
                "job",
                userNamespace(),
                "sh",
                "-c",
                "i=0; while :; do i=$((i + 1)); echo $i >%s/count; sleep 0.02; done"
                        .formatted(alice.directoryOf("job")));
        String count = alice.directoryOf("job") + "/count";
        alice.awaitFile(N1, count);
        for (String from : TwoNodes.BOTH) {
            alice.migrate(from, "job").well();
            String to = TwoNodes.other(from);
            int first = Integer.parseInt(alice.out(to, "cat", count));
            Thread.sleep(1000);
            int second = Integer.parseInt(alice.out(to, "cat", count));
            assertTrue(second > first, first + ", then " + second);
        }
        alice.stop(N1, "job");
        assertNothingLeft();
    }

    @Test
    void nothingOfItRunsAsRoot() throws Exception {
        alice.startPattern(N1, "job", userNamespace(), MEGABYTES);
        List<CompletableFuture<String>> watches = new ArrayList<>();
        for (String node : TwoNodes.BOTH) {
            watches.add(Moving.start(() -> NODES.bash(node, WATCH)));
        }
        alice.migrate(N1, "job").well();
        for (String node : TwoNodes.BOTH) {
            NODES.out(node, "touch", "/run/it-watched");
        }
        for (CompletableFuture<String> watch : watches) {
            List<String> seen = watch.get(20, TimeUnit.SECONDS).lines().toList();
            for (String name : List.of("java", "foothold", "appinit")) {
                assertTrue(seen.contains("1000 " + name), () -> "the watch is blind: " + seen);
            }
            assertEquals(List.of(), seen.stream().filter(each -> each.startsWith("0 ")).toList());
        }
        alice.stop(N2, "job");
    }

    /** Root's rights would be needed; it is told, and nothing else goes wrong. */
    @Test
    void instanceOfTheSetuidStarter() throws Exception {
        alice.startPattern(N1, "job", List.of(), MEGABYTES);
        JsonNode listed = alice.listed(N1, "job");
        assertEquals(1, listed.path("processes").asInt(), listed::toString);
        Snapshot before = NODES.snapshot(N1);
        Moved moved = alice.migrate(N1, "job");
        moved.refused(REFUSED);
        assertTrue(moved.err().contains("setuid"), moved.err());
        alice.verify(N1, "job");
        NODES.assertAs(N1, before);
        NODES.assertAsBefore(N2);
    }

    @Test
    void othersCannotTouchIt() throws Exception {
        Person bob = NODES.as("bob");
        alice.startPattern(N1, "job", userNamespace(), MEGABYTES);
        bob.migrate(N1, "job").refused(USAGE);
        assertTrue(bob.listed(N1, "job").isMissingNode());
        assertEquals("", bob.out(N1, "migrator", "recover"));
        forgeRecord(bob);
        Moved moved = bob.migrate(N1, "job");
        assertTrue(moved.exit() == USAGE, moved.err());
        assertTrue(bob.listed(N1, "job").isMissingNode());
        alice.verify(N1, "job");
        bob.out(N1, "rm", "-rf", "/home/bob/.apptainer");
    }

    /** A record of bob's that names alice's appinit. */
    private static void forgeRecord(Person bob) throws Exception {
        String record = "/.apptainer/instances/app/n1/%s/job";
        String hers = "/home/alice" + record.formatted("alice") + "/job.json";
        String his = "/home/bob" + record.formatted("bob");
        String text = NODES.out(N1, "cat", hers).replace("alice", "bob");
        bob.bash(N1, "mkdir -p %1$s && cat >%1$s/job.json <<'END'\n%2$s\nEND".formatted(his, text));
    }

    /** What needs rights over the node is found before anything is frozen, by its name. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "seccomp: $f = pack('SCCL', 6, 0, 0, 0x7fff0000);"
                        + " syscall(157, 38, 1, 0, 0, 0); syscall(157, 22, 2, pack('Sx6P', 1, $f))",
                "connections: use IO::Socket::INET;"
                        + " $a = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1');"
                        + " $b = IO::Socket::INET->new(PeerAddr => '127.0.0.1',"
                        + " PeerPort => $a->sockport); $c = $a->accept",
                "inotify: syscall(253)",
                "deleted-mapping: open F, '+>', '/tmp/it-mapped'; truncate F, 4096;"
                        + " syscall(9, 0, 4096, 3, 1, fileno(F), 0); unlink '/tmp/it-mapped';"
                        + " close F",
                "memfd-mapping: $x = 'x'; $f = syscall(319, $x, 0); syscall(77, $f, 4096);"
                        + " syscall(9, 0, 4096, 3, 1, $f, 0); fork or syscall(3, $f)",
                "system-v: $i = syscall(29, 0, 4096, 0x380); syscall(30, $i, 0, 0);"
                        + " syscall(31, $i, 0, 0)",
                "terminal: open M, '+<', '/dev/ptmx'; $z = pack('i', 0);"
                        + " syscall(16, fileno(M), 0x40045431, $z);"
                        + " syscall(16, fileno(M), 0x80045430, $z);"
                        + " open S, '+<', '/dev/pts/' . unpack('i', $z)",
            })
    void whatItCannotTakeIsRefused(String what) throws Exception {
        String check = what.substring(0, what.indexOf(':'));
        String program = what.substring(what.indexOf(':') + 2);
        String ready = alice.directoryOf("job") + "/ready";
        alice.start(
                N1,
                "job",
                userNamespace(),
                "perl",
                "-e",
                program + "; open R, '>', '" + ready + "'; print R 'x'; close R; sleep 1000");
        alice.awaitFile(N1, ready);
        Snapshot before = NODES.snapshot(N1);
        JsonNode checked = alice.checked(N1, "job");
        assertTrue(
                checked.path("findings").findValuesAsText("check").contains(check),
                checked::toString);
        Moved moved = alice.migrate(N1, "job");
        moved.refused(REFUSED);
        assertFalse(moved.err().contains("criu's dump"), moved.err());
        NODES.assertAs(N1, before);
        NODES.assertAsBefore(N2);
    }
}
