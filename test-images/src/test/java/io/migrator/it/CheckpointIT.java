package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import io.migrator.fault.FaultPoint;
import io.migrator.linux.Command;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A job is kept in a file, and runs again from it; whatever fails, no half file has its name. */
class CheckpointIT {
    private static final int FAILED = 1;
    private static final int USAGE = 2;
    private static final int REFUSED = 3;
    private static final int MEGABYTES = 64;
    private static final String DIRECTORY = "/shared/it/kept";
    private static final String FILE = DIRECTORY + "/job.mig";
    private static final Duration LONG = Duration.ofSeconds(90);

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    @BeforeEach
    void emptyDirectory() throws Exception {
        NODES.bash(
                N1,
                "rm -rf %1$s; mkdir -p -m 1777 /shared/it %1$s; chmod 1777 %1$s"
                        .formatted(DIRECTORY));
    }

    private static void startPattern(Person person, String... options) throws Exception {
        person.startPattern(
                N1, "job", List.of(options), MEGABYTES, "--processes", "2", "--rate", "10");
    }

    private static Moved checkpoint(Person person, String... options) throws Exception {
        String[] words =
                Stream.concat(Stream.of("checkpoint", "job", "-o", FILE), Stream.of(options))
                        .toArray(String[]::new);
        return person.told(N1, words);
    }

    private static void assertKept(Moved moved) {
        assertEquals(0, moved.exit(), moved.err());
        assertEquals("checkpointed", moved.json().path("outcome").asText(), moved.err());
        assertTrue(moved.json().path("frozenMillis").asDouble() > 0, moved.err());
        assertTrue(moved.json().path("sentBytes").asLong() > MEGABYTES << 20, moved.err());
    }

    private static void assertRestored(Moved moved, String node) {
        assertEquals(0, moved.exit(), moved.err());
        assertEquals("restored", moved.json().path("outcome").asText(), moved.err());
        assertEquals(node, moved.json().path("to").asText(), moved.err());
    }

    /** The same file is restored twice, on both nodes; the job that was kept goes on. */
    @Test
    void itRunsOnAndTheCopyRunsElsewhere() throws Exception {
        startPattern(NODES);
        Snapshot running = NODES.snapshot(N1);
        assertKept(checkpoint(NODES, "--leave-running"));
        NODES.verify(N1, "job");
        NODES.assertAs(N1, running);
        NODES.bash(N1, "[[ $(stat -c %a " + FILE + ") = 600 ]]");

        NODES.told(N1, "restore", FILE).refused(REFUSED); // its name is taken
        assertRestored(NODES.told(N2, "restore", FILE), N2);
        NODES.verify(N2, "job");
        NODES.bash(N2, "apptainer instance stop job; rm -r " + TwoNodes.directory("job"));
        NODES.verify(N1, "job");
        NODES.stop(N1, "job");

        assertRestored(NODES.told(N1, "restore", FILE), N1);
        NODES.verify(N1, "job");
        NODES.stop(N1, "job");
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    /** Ended here, restored over SSH there, and moved on as any job. */
    @Test
    void itEndsAndIsRestoredOnAnotherNode() throws Exception {
        startPattern(NODES);
        assertKept(checkpoint(NODES));
        assertTrue(NODES.listed(N1, "job").isMissingNode());
        assertRestored(NODES.told(N1, "restore", FILE, "--to", N2), N2);
        NODES.verify(N2, "job");
        NODES.migrate(N2, "job").well();
        NODES.verify(N1, "job");
        NODES.stop(N1, "job");
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    @Test
    void anOrdinaryUserInAUserNamespace() throws Exception {
        Person alice = NODES.as("alice");
        startPattern(alice, "--userns");
        assertKept(checkpoint(alice));
        assertRestored(alice.told(N2, "restore", FILE), N2);
        alice.verify(N2, "job");
        NODES.bash(N1, "cp " + FILE + " " + FILE + "2; chmod 666 " + FILE + "2");
        alice.stop(N2, "job");
        Moved foreign = NODES.told(N2, "restore", FILE); // root does not trust alice's
        foreign.refused(REFUSED);
        assertTrue(foreign.err().contains("belongs to user"), foreign.err());
        NODES.told(N2, "restore", FILE + "2").refused(REFUSED);
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    @Test
    void anOrdinaryUserOfTheSetuidStarter() throws Exception {
        NODES.setUp();
        Person alice = NODES.as("alice");
        startPattern(alice);
        assertKept(checkpoint(alice));
        assertRestored(alice.told(N2, "restore", FILE), N2);
        alice.verify(N2, "job");
        alice.stop(N2, "job");
        for (String each : TwoNodes.BOTH) {
            NODES.bash(each, "rm -rf /etc/sudoers.d/migrator /var/lib/migrator/{foothold,allow-*}");
        }
    }

    /** Of what changes little is written; two of three stay, and each can be restored. */
    @Test
    void againAndAgain() throws Exception {
        NODES.startPattern(N1, "job", MEGABYTES, "--rate", "10", "--working-set", "4");
        Command.Result ended =
                NODES.run(
                        LONG,
                        N1,
                        "bash",
                        "-c",
                        """
                        migrator checkpoint job -o %1$s --every 1s --keep 2 &
                        for _ in {1..600}; do [[ -e %1$s.000004 ]] && break; sleep 0.1; done
                        kill -TERM $!
                        wait $!
                        """
                                .formatted(FILE));
        assertEquals(0, ended.exit(), ended.err());
        assertTrue(ended.err().contains("it is not kept any more"), ended.err());
        NODES.verify(N1, "job");
        long whole = size("job.mig.000001");
        assertTrue(whole > MEGABYTES << 20);
        assertTrue(size("job.mig.000003") < whole / 4, () -> "of " + whole + ": " + ended.err());
        NODES.stop(N1, "job");

        assertRestored(NODES.told(N2, "restore", FILE), N2);
        NODES.verify(N2, "job");
        NODES.stop(N2, "job");

        Files.delete(kept("job.mig.000001"));
        Moved lacking = NODES.told(N2, "restore", FILE);
        lacking.refused(REFUSED);
        assertTrue(lacking.err().contains("builds on an archive that is not there"), lacking.err());
        NODES.assertAsBefore(N2);
    }

    private static Path kept(String name) throws Exception {
        return NODES.shared().resolve("it/kept").resolve(name);
    }

    private static long size(String name) throws Exception {
        return Files.size(kept(name));
    }

    @Test
    void throughPipes() throws Exception {
        startPattern(NODES);
        NODES.run(
                LONG,
                N1,
                "bash",
                "-c",
                "set -o pipefail; migrator checkpoint job --leave-running -o - | gzip -1 > "
                        + FILE);
        NODES.told(N1, "checkpoint", "job", "--leave-running", "-o", "-").refused(USAGE);
        NODES.verify(N1, "job");
        NODES.stop(N1, "job");
        Command.Result restored =
                NODES.run(LONG, N2, "bash", "-c", "zcat " + FILE + " | migrator restore -");
        assertEquals(0, restored.exit(), restored.err());
        NODES.verify(N2, "job");
        NODES.stop(N2, "job");
        NODES.told(N2, "restore", FILE).refused(REFUSED); // still packed
        NODES.assertAsBefore(N2);
    }

    @Test
    void whatIsDamagedIsRefused() throws Exception {
        startPattern(NODES);
        assertKept(checkpoint(NODES));
        long length = size("job.mig");
        try (FileChannel file = FileChannel.open(kept("job.mig"), StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.wrap(new byte[] {1, 2, 3, 4, 5, 6, 7, 8}), length / 2);
        }
        Moved damaged = NODES.told(N2, "restore", FILE);
        damaged.refused(REFUSED);
        assertTrue(damaged.err().matches("(?s).*at byte \\d+ of the stream.*"), damaged.err());
        try (FileChannel file = FileChannel.open(kept("job.mig"), StandardOpenOption.WRITE)) {
            file.truncate(length / 3);
        }
        Moved cut = NODES.told(N2, "restore", FILE);
        cut.refused(REFUSED);
        assertTrue(cut.err().contains("the stream stopped"), cut.err());
        assertEquals(REFUSED, NODES.run(N2, "migrator", "inspect", FILE).exit());
        NODES.assertAsBefore(N2);
    }

    @Test
    void itTellsWhatIsInIt() throws Exception {
        NODES.start(
                N1,
                "job",
                List.of("--env", "MY_API_KEY=hush"),
                "/shared/bin/pattern",
                "--mb",
                "8",
                "--processes",
                "2",
                "--report",
                NODES.reportOf("job"));
        NODES.awaitFile(N1, NODES.reportOf("job"));
        assertEquals(0, checkpoint(NODES).exit());
        Command.Result shown = NODES.run(N2, "migrator", "inspect", FILE);
        assertEquals(0, shown.exit(), shown.err());
        assertTrue(shown.out().contains("pattern"), shown.out());
        assertTrue(shown.err().contains("MY_API_KEY"), shown.err());
        assertFalse(shown.err().contains("hush"), shown.err());
        JsonNode all = json(NODES.out(N2, "migrator", "inspect", FILE, "--json"));
        assertEquals("job", all.path("instance").asText());
        assertEquals(2, all.path("processes").size(), all::toString);
        assertEquals(64, all.path("imageDigest").asText().length(), all::toString);
        assertTrue(all.path("processes").path(0).path("memoryBytes").asLong() > 4 << 20);
        NODES.assertAsBefore(N2);
    }

    private static JsonNode json(String text) throws IOException {
        return new ObjectMapper().readTree(text);
    }

    /** A file that it writes is kept as it was then; over another one it comes only if told so. */
    @Test
    void itsFilesAreAsTheyWere() throws Exception {
        String log = "/srv/it/log";
        NODES.start(
                N1,
                "job",
                List.of("--bind", "/srv/it:/srv/it"),
                "sh",
                "-c",
                "i=0; while :; do i=$((i+1)); echo $i >&3; sleep 0.01; done 3>" + log);
        NODES.bash(
                N1, "for _ in {1..200}; do [[ -s %s ]] && exit; sleep 0.02; done".formatted(log));
        assertEquals(0, checkpoint(NODES, "--leave-running").exit());
        NODES.bash(N1, "sleep 0.5; apptainer instance stop job; rm -rf /root/.migrator");

        assertRestored(NODES.told(N2, "restore", FILE), N2);
        assertCounts(N2, log);
        NODES.stop(N2, "job");

        Moved other = NODES.told(N1, "restore", FILE);
        assertEquals(FAILED, other.exit(), other.err());
        assertTrue(other.err().contains(log), other.err());
        assertTrue(NODES.listed(N1, "job").isMissingNode());
        assertRestored(NODES.told(N1, "restore", FILE, "--allow", "overwrite"), N1);
        assertCounts(N1, log);
        NODES.stop(N1, "job");
    }

    @Test
    void whatItOnlyReadsMustBeThereAsItWas() throws Exception {
        String input = "/srv/it/input";
        NODES.bash(N1, "echo 123456 >" + input);
        NODES.start(
                N1,
                "job",
                List.of("--bind", "/srv/it:/srv/it"),
                "sh",
                "-c",
                "exec 3<%s; exec sleep 1000".formatted(input));
        assertEquals(0, checkpoint(NODES).exit());
        assertLacks("is not there");
        NODES.bash(N2, "echo 654321 >" + input);
        assertLacks("is another file");
        NODES.bash(N2, "echo 123456 >" + input);
        assertRestored(NODES.told(N2, "restore", FILE), N2);
        NODES.stop(N2, "job");
    }

    private static void assertLacks(String how) throws Exception {
        Moved moved = NODES.told(N2, "restore", FILE);
        moved.refused(REFUSED);
        assertTrue(moved.err().contains("/srv/it/input on n2 " + how), moved.err());
    }

    /** No line is missing, none is there twice, and there are more and more. */
    private static void assertCounts(String node, String log) throws Exception {
        NODES.bash(
                node,
                """
                before=$(wc -l <%1$s); sleep 0.5; after=$(wc -l <%1$s)
                [[ $after -gt $before ]] || { echo "$before lines, then $after" >&2; exit 1; }
                diff <(seq $after) <(head -n $after %1$s) >&2
                """
                        .formatted(log));
    }

    /** There is no file of that name, and the job runs on: loaded, or about to be ended. */
    @ParameterizedTest
    @EnumSource(
            value = FaultPoint.class,
            names = {"SOURCE_LOADED", "SOURCE_GRANTING"})
    void aKilledWriterLeavesNoFile(FaultPoint point) throws Exception {
        struckAt(point, "KILL");
        assertFalse(Files.exists(kept("job.mig")));
        NODES.out(N1, "migrator", "recover");
        NODES.verify(N1, "job");
        NODES.bash(N1, "[[ -z $(ls -A " + DIRECTORY + ") ]]");
    }

    /** The file is whole: the job is ended by recover, and nowhere else than in the file. */
    @Test
    void killedAfterItHasItsNameTheJobIsInTheFile() throws Exception {
        struckAt(FaultPoint.SOURCE_TAKEN, "KILL");
        String said = NODES.run(N1, "migrator", "recover").err();
        assertTrue(said.contains(FILE), said);
        assertTrue(NODES.listed(N1, "job").isMissingNode(), said);
        assertRestored(NODES.told(N2, "restore", FILE), N2);
        NODES.verify(N2, "job");
        NODES.stop(N2, "job");
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    @Test
    void cancelledItIsUndone() throws Exception {
        Moved moved = struckAt(FaultPoint.SOURCE_LOADED, "INT");
        moved.failedWithJobOn(N1);
        assertTrue(moved.err().contains("cancelled"), moved.err());
        NODES.verify(N1, "job");
        NODES.bash(N1, "[[ -z $(ls -A " + DIRECTORY + ") ]]");
    }

    private static Moved struckAt(FaultPoint point, String signal) throws Exception {
        startPattern(NODES);
        FaultBlow blow = new FaultBlow(NODES, point);
        blow.arm();
        CompletableFuture<Moved> moving = Moving.start(() -> checkpoint(NODES));
        blow.await(moving);
        blow.signal(true, "jvm", signal);
        Moved moved = moving.get(60, TimeUnit.SECONDS);
        blow.heal();
        return moved;
    }

    /** A restore that is killed leaves a node on which recover finds all of it. */
    @Test
    void aKilledRestoreLeavesNothing() throws Exception {
        startPattern(NODES);
        assertKept(checkpoint(NODES));
        NODES.bash(N2, "mkdir -p -m 1777 /run/migrator-fault");
        NODES.bash(N2, "echo target-taken=hold >/etc/migrator-fault");
        CompletableFuture<Moved> moving = Moving.start(() -> NODES.told(N2, "restore", FILE));
        NODES.awaitFile(N2, "/run/migrator-fault/target-taken");
        NODES.bash(N2, "kill -KILL $(pgrep -f 'migrator.jar restor[e]')");
        moving.get(60, TimeUnit.SECONDS);
        NODES.bash(N2, "rm -rf /etc/migrator-fault /run/migrator-fault");
        NODES.run(N2, "migrator", "recover");
        NODES.assertAsBefore(N2);
        assertRestored(NODES.told(N2, "restore", FILE), N2);
        NODES.verify(N2, "job");
        NODES.stop(N2, "job");
    }

    @Test
    void aFullDiskEndsNothing() throws Exception {
        startPattern(NODES);
        NODES.bash(N1, "mkdir -p /srv/it/small && mount -t tmpfs -o size=20m small /srv/it/small");
        try {
            Moved full = NODES.told(N1, "checkpoint", "job", "-o", "/srv/it/small/job.mig");
            full.failedWithJobOn(N1);
            NODES.bash(N1, "[[ -z $(ls -A /srv/it/small) ]]");
            NODES.verify(N1, "job");
        } finally {
            NODES.bash(N1, "umount /srv/it/small");
        }
        assertKept(checkpoint(NODES));
        checkpoint(NODES).refused(USAGE); // it has ended
    }

    /** Every 10 s for 5 minutes; then the node dies, and the job goes on from the newest file. */
    @Test
    @Tag("long")
    void aNodeThatDies() throws Exception {
        long megabytes = 2048;
        NODES.startPattern(
                N1,
                "job",
                (int) megabytes,
                "--threads",
                "2",
                "--rate",
                "2",
                "--working-set",
                "100");
        NODES.bash(
                N1,
                "setsid migrator checkpoint job -o %s --every 10s --keep 3 >/dev/null 2>%s.log &"
                        .formatted(FILE, FILE));
        Thread.sleep(Duration.ofMinutes(5));
        JsonNode status = NODES.lab().status();
        long pid = status.path("nodes").path(0).path("pid").asLong();
        assertEquals(N1, status.path("nodes").path(0).path("name").asText());
        ProcessHandle.of(pid).orElseThrow().destroyForcibly();
        try {
            String log = Files.readString(kept("job.mig.log"));
            System.out.print(log);
            List<Long> sizes = sizes();
            System.out.println("checkpoint: sizes that are left " + sizes);
            assertTrue(log.lines().filter(line -> line.contains("is kept")).count() > 20, log);
            sizes.removeFirst();
            assertTrue(sizes.stream().allMatch(each -> each < megabytes << 20 >> 3), log);
            assertRestored(NODES.told(N2, "restore", FILE), N2);
            NODES.verify(N2, "job");
        } finally {
            NODES.lab().up();
        }
    }

    private static List<Long> sizes() throws Exception {
        List<Long> sizes = new ArrayList<>();
        for (int i = 1; i < 100; i++) {
            Path each = kept("job.mig.%06d".formatted(i));
            if (Files.exists(each)) {
                sizes.add(Files.size(each));
            }
        }
        return sizes;
    }
}
