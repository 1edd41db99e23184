package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** alice moves her own instances, of one kind or the other. */
abstract class OwnInstances {
    static final int MEGABYTES = 64;
    private static final int USAGE = 2;
    private static final String SANDBOX = "/shared/it/sandbox";

    /** Lists, until a file is there, what of ours runs and as whom, a line "UID NAME" each. */
    private static final String WATCH =
            """
            names=' (java|foothold|criu|ld.so|apptainer|starter|starter-suid|appinit|migrator|sudo)$'
            while [[ ! -e /run/it-watched ]]; do
                ps -eo euid=,comm= | grep -E "$names" | awk '{ print $1, $2 }'
                sleep 0.005
            done | sort -u
            rm /run/it-watched
            """;

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    final Person alice = NODES.as("alice");
    private final List<String> mode;

    /**
     * Such instances.
     *
     * @param mode options of migrator run that ask for them
     */
    OwnInstances(String... mode) {
        this.mode = List.of(mode);
    }

    private List<String> start(String... options) {
        List<String> all = new ArrayList<>(mode);
        for (String option : options) {
            if (!option.isEmpty()) {
                all.add(option);
            }
        }
        return all;
    }

    /** The image's file system is in view by FUSE, an overlay, or as it is. */
    @Tag("long")
    @ParameterizedTest
    @ValueSource(strings = {"--underlay", SANDBOX, "--underlay " + SANDBOX})
    void goesFromOtherFileSystems(String options) throws Exception {
        goesThereAndBack(options);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "--writable " + SANDBOX})
    void goesThereAndBack(String options) throws Exception {
        if (options.endsWith(SANDBOX)) {
            makeSandbox();
        }
        alice.startPattern(
                N1, "job", start(options.split(" ")), MEGABYTES, "--rate", "20", "--threads", "4");
        for (String from : TwoNodes.BOTH) {
            alice.migrate(from, "job").well();
            JsonNode report = alice.verify(TwoNodes.other(from), "job");
            assertEquals(MEGABYTES * 256, report.path("pages").asInt(), report::toString);
        }
        alice.stop(N1, "job");
        assertNothingLeft();
    }

    private void makeSandbox() throws Exception {
        NODES.bash(N1, "mkdir -p -m 1777 /shared/it");
        alice.bash(
                N1,
                "[[ -d %1$s ]] || apptainer build --sandbox %1$s %2$s >/dev/null 2>&1"
                        .formatted(SANDBOX, TwoNodes.IMAGE));
    }

    /** The file is empty for a moment each time the shell writes it anew. */
    private int count(String node, String file) throws Exception {
        return Integer.parseInt(alice.bash(node, "until grep . %s; do :; done".formatted(file)));
    }

    static void assertNothingLeft() throws Exception {
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    /** Fork trees, pipes, sockets, memory files, locks, deleted files, timers, all clocks. */
    @Test
    void treeOfManyKinds() throws Exception {
        alice.start(
                N1,
                "zoo",
                start(),
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
                start(),
                "sh",
                "-c",
                "i=0; while :; do i=$((i + 1)); echo $i >%s/count; sleep 0.02; done"
                        .formatted(alice.directoryOf("job")));
        String count = alice.directoryOf("job") + "/count";
        alice.awaitFile(N1, count);
        for (String from : TwoNodes.BOTH) {
            alice.migrate(from, "job").well();
            String to = TwoNodes.other(from);
            int first = count(to, count);
            Thread.sleep(1000);
            int second = count(to, count);
            assertTrue(second > first, first + ", then " + second);
        }
        alice.stop(N1, "job");
        assertNothingLeft();
    }

    /** What of ours ran meanwhile on each node, by effective user: {@code 1000 java}. */
    static List<List<String>> whoRuns(Callable<?> meanwhile) throws Exception {
        List<CompletableFuture<String>> watches = new ArrayList<>();
        for (String node : TwoNodes.BOTH) {
            watches.add(Moving.start(() -> NODES.bash(node, WATCH)));
        }
        try {
            meanwhile.call();
        } finally {
            for (String node : TwoNodes.BOTH) {
                NODES.out(node, "touch", "/run/it-watched");
            }
        }
        List<List<String>> seen = new ArrayList<>();
        for (CompletableFuture<String> watch : watches) {
            seen.add(watch.get(20, TimeUnit.SECONDS).lines().toList());
        }
        return seen;
    }

    @Test
    void othersCannotTouchIt() throws Exception {
        Person bob = NODES.as("bob");
        alice.startPattern(N1, "job", start(), MEGABYTES);
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
}
