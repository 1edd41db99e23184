package io.migrator.it;

import static io.migrator.it.TwoNodes.BOTH;
import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import io.migrator.fault.FaultPoint;
import io.migrator.linux.Command;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * {@code migrator recover} as it should not be used: again, everywhere at once, by others, on what
 * it cannot read. It does what is right or refuses, and never harms.
 */
class RecoverIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int AT_ONCE = 3;
    private static final String OWN = TwoNodes.directory(FaultJob.NAME);
    private static final String JOURNALS = SpoiltJournal.DIRECTORY;

    /** Longer than a receiver waits for a source that is silent. */
    private static final long SILENCE_MILLIS = 28_000;

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    private FaultJob job;
    private Snapshot withJob;
    private FaultBlow blow;
    private CompletableFuture<Moved> moving;

    private void hold(FaultPoint point) throws Exception {
        job = FaultJob.start(NODES, FaultWay.PRECOPY, false);
        withJob = NODES.snapshot(N1);
        blow = new FaultBlow(NODES, point);
        blow.arm();
        moving = Moving.start(() -> NODES.migrate(N1, FaultJob.NAME));
        blow.await(moving);
    }

    /** Holds a migration at a point, deals a fault there and waits for its end. */
    private Moved struck(FaultPoint point, Fault fault) throws Exception {
        hold(point);
        blow.strike(fault);
        return ended();
    }

    private Moved ended() throws Exception {
        return moving.get(115, TimeUnit.SECONDS);
    }

    /** What {@code recover --json} says of the one migration; a missing node if of none. */
    private static JsonNode recover(int exit, String node, String... options) throws Exception {
        List<String> words = new ArrayList<>(List.of("migrator", "recover", "--json"));
        words.addAll(List.of(options));
        Command.Result result = NODES.run(node, words.toArray(String[]::new));
        assertEquals(exit, result.exit(), () -> node + ": " + result.out() + result.err());
        return JSON.readTree(result.out()).path("migrations").path(0);
    }

    private static String id(String node) throws Exception {
        return NODES.bash(node, "basename -s .lock " + JOURNALS + "m*.lock");
    }

    private void runsOn(String node) throws Exception {
        assertEquals(node, job.tally().grows());
    }

    private void stands() throws Exception {
        assertEquals("stands", job.tally().grows());
    }

    /** The job is whole, runs there alone, and nothing of the migration is left. */
    private void assertWellOn(String node) throws Exception {
        runsOn(node);
        assertEquals(List.of(), job.verify(node));
        assertEquals(0, job.tally().doubled(), "doubled");
        assertEquals(0, job.tally().lost(), "lost");
        blow.heal();
        if (node.equals(N1)) {
            NODES.assertAs(N1, withJob);
        } else {
            job.stopOnTarget();
            NODES.assertAsBefore(N1);
        }
        NODES.assertAsBefore(N2);
    }

    @Test
    void againIsTheSame() throws Exception {
        struck(FaultPoint.SOURCE_SEALED, Fault.SOURCE_JVM);
        stands();
        assertEquals("here", recover(0, N1, "--dry-run").path("holder").asText());
        stands();
        assertEquals("here", recover(0, N1).path("holder").asText());
        assertTrue(recover(0, N1).isMissingNode());
        assertTrue(recover(0, N2).isMissingNode());
        assertEquals("alive", job.connection(N1));
        assertWellOn(N1);
    }

    @Tag("long")
    @ParameterizedTest
    @CsvSource({
        "SOURCE_PREPARED, SOURCE_JVM, n1",
        "SOURCE_SEALED, SOURCE_JVM, n1",
        "SOURCE_GRANTING, SOURCE_JVM, n1",
        "TARGET_TAKEN, TARGET_SIDE, n1",
        "TARGET_RUNNING, RECEIVER, n2",
    })
    void onBothNodesAtOnceElsewhere(FaultPoint point, Fault fault, String runsOn) throws Exception {
        onBothNodesAtOnce(point, fault, runsOn);
    }

    @ParameterizedTest
    @CsvSource("SOURCE_GRANTED, SOURCE_JVM, n2")
    void onBothNodesAtOnce(FaultPoint point, Fault fault, String runsOn) throws Exception {
        hold(point);
        blow.strike(fault);
        if (fault == Fault.SOURCE_JVM) {
            ended();
        }
        List<CompletableFuture<Command.Result>> all = new ArrayList<>();
        for (int i = 0; i < AT_ONCE; i++) {
            for (String node : BOTH) {
                all.add(Moving.start(() -> NODES.run(node, "migrator", "recover")));
            }
        }
        for (CompletableFuture<Command.Result> each : all) {
            each.get(100, TimeUnit.SECONDS);
        }
        ended();
        for (String node : List.of(N1, N2)) {
            recover(0, node);
        }
        assertWellOn(runsOn);
    }

    /** Somebody looks around in the instance on the target: that is no sign that the job ran. */
    @Test
    void aStrangerInTheInstanceProvesNothing() throws Exception {
        hold(FaultPoint.TARGET_TAKEN);
        NODES.bash(
                N2,
                "setsid apptainer -q exec instance://job sleep 1000 >/dev/null 2>&1 </dev/null &"
                    + " for _ in {1..200}; do pgrep -x sleep >/dev/null && exit; sleep 0.05; done;"
                    + " exit 9");
        blow.strike(Fault.TARGET_SIDE);
        ended();
        recover(0, N1);
        recover(0, N2);
        assertWellOn(N1);
    }

    /** The user found the empty instance, ended it, and started one of his own by that name. */
    @Test
    void aLaterInstanceOfTheSameNameIsLeftAlone() throws Exception {
        hold(FaultPoint.TARGET_PREPARED);
        blow.signal(true, "jvm", "KILL");
        blow.signal(false, "jvm", "KILL");
        ended();
        NODES.out(N2, "apptainer", "instance", "stop", FaultJob.NAME);
        NODES.out(N2, "apptainer", "instance", "start", TwoNodes.IMAGE, FaultJob.NAME);
        NODES.bash(N2, "mkdir -p %1$s && touch %1$s/precious".formatted(OWN));
        recover(0, N1);
        recover(0, N2);
        NODES.out(N2, "test", "-e", OWN + "/precious");
        NODES.out(N2, "apptainer", "instance", "stop", FaultJob.NAME);
        NODES.bash(N2, "rm -r ~/.migrator");
        assertWellOn(N1);
    }

    @Tag("long")
    @Test
    void anotherUserKnowsNothingOfIt() throws Exception {
        struck(FaultPoint.SOURCE_SEALED, Fault.SOURCE_JVM);
        String id = id(N1);
        Command.Result theirs =
                NODES.run(N1, "runuser", "-u", "alice", "--", "migrator", "recover");
        assertEquals(0, theirs.exit(), theirs.err());
        Command.Result decided =
                NODES.run(
                        N1,
                        "runuser",
                        "-u",
                        "alice",
                        "--",
                        "migrator",
                        "recover",
                        "--take-back",
                        id);
        assertEquals(2, decided.exit(), decided.err());
        stands();
        recover(0, N1);
        assertWellOn(N1);
    }

    /** What a check leaves that is killed: there is no journal yet. */
    @Test
    void imagesThatNobodyKnows() throws Exception {
        NODES.bash(
                N1,
                "umask 77; cd /dev/shm; mkdir -p migrator-root/{mold,mnew}; touch"
                    + " migrator-root/mold/cpuinfo.img; touch -d '2 hours ago' migrator-root/mold");
        recover(0, N1, "--dry-run");
        assertEquals("mnew mold", NODES.bash(N1, "ls /dev/shm/migrator-root | xargs"));
        recover(0, N1);
        assertEquals("mnew", NODES.bash(N1, "ls /dev/shm/migrator-root"));
    }

    @Test
    void aTokenThatIsNotOursMovesNothing() throws Exception {
        hold(FaultPoint.SOURCE_LOADED);
        for (String question : List.of("--refuse", "--status", "--done")) {
            Command.Result asked =
                    NODES.run(
                            N2, "migrator", "receive", question, id(N2), "--token", "0".repeat(32));
            assertEquals(3, asked.exit(), asked.err());
            assertTrue(asked.err().contains("token"), asked.err());
        }
        blow.release();
        ended().well();
        assertWellOn(N2);
    }

    @Tag("long")
    @ParameterizedTest
    @ValueSource(strings = "gone")
    void aJournalOfTheSourceThatIsNotThere(String how) throws Exception {
        aJournalOfTheSourceThatCannotBeRead(how);
    }

    /** Nobody can tell then who may run it; that it stands here is seen, and a person decides. */
    @ParameterizedTest
    @ValueSource(strings = "damaged")
    void aJournalOfTheSourceThatCannotBeRead(String how) throws Exception {
        struck(FaultPoint.SOURCE_SEALED, Fault.SOURCE_JVM);
        String id = id(N1);
        if (how.equals("gone")) {
            NODES.bash(N1, "rm -r " + JOURNALS);
        } else {
            NODES.out(N1, "python3", "-c", SpoiltJournal.SPOIL, "damage");
        }
        JsonNode told = recover(4, N1);
        assertTrue(told.path("text").asText().contains(how), told::toString);
        assertTrue(told.path("text").asText().contains("migrator-" + id), told::toString);
        assertTrue(told.path("tryThis").asText().contains("--take-back " + id), told::toString);
        stands();
        recover(0, N1, "--take-back", id, "--dry-run");
        stands();
        recover(0, N1, "--take-back", id);
        assertEquals("alive", job.connection(N1));
        NODES.bash(N1, "rm -f /root/journal.good");
        NODES.bash(N2, "rm -r /dev/shm/migrator-root"); // its tombstone: nobody has the token now
        assertWellOn(N1);
    }

    /** Another user was there first, and wrote a journal that would have root kill a process. */
    @Test
    void aJournalThatAnotherUserForged() throws Exception {
        NODES.bash(N1, "setsid sleep 1000 >/dev/null 2>&1 & echo $! >/root/victim");
        NODES.bash(N1, "chmod 644 /root/victim; cp /root/victim /tmp/victim; rm /root/victim");
        NODES.out(N1, "runuser", "-u", "alice", "--", "python3", "-c", SpoiltJournal.FORGE);
        Command.Result recovered = NODES.run(N1, "migrator", "recover");
        NODES.bash(N1, "kill $(cat /tmp/victim); rm -r /tmp/victim /dev/shm/migrator-root");
        assertEquals(3, recovered.exit(), recovered.err());
        assertTrue(recovered.err().contains("another user"), recovered.err());
    }

    /** The source then does not learn what became of the job, and waits. */
    @Tag("long")
    @ParameterizedTest
    @CsvSource({"damage", "boot"})
    void aSpoiltJournalOfTheTarget(String how) throws Exception {
        struck(FaultPoint.SOURCE_GRANTED, Fault.SOURCE_JVM);
        runsOn(N2);
        NODES.out(N2, "python3", "-c", SpoiltJournal.SPOIL, how);
        assertEquals("unknown", recover(4, N1).path("holder").asText());
        recover(4, N2);
        runsOn(N2);
        NODES.bash(N2, "cat /root/journal.good >$(compgen -G '%sm*[0-9]')".formatted(JOURNALS));
        assertEquals("there", recover(0, N1).path("holder").asText());
        assertTrue(recover(0, N2).isMissingNode());
        NODES.out(N2, "rm", "/root/journal.good");
        assertWellOn(N2);
    }

    @Tag("long")
    @Test
    void aJournalOfAnotherBoot() throws Exception {
        struck(FaultPoint.SOURCE_SEALED, Fault.SOURCE_JVM);
        NODES.out(N1, "python3", "-c", SpoiltJournal.SPOIL, "boot");
        JsonNode told = recover(4, N1);
        assertTrue(told.path("text").asText().contains("another start"), told::toString);
        recover(4, N1, "--take-back", id(N1));
        stands();
        NODES.bash(
                N1,
                "cat /root/journal.good >$(compgen -G '%sm*[0-9]'); rm /root/journal.good"
                        .formatted(JOURNALS));
        recover(0, N1);
        assertWellOn(N1);
    }

    @Test
    void takenBackFromATargetOutOfReach() throws Exception {
        hold(FaultPoint.SOURCE_GRANTING);
        NODES.link(N2, "down");
        blow.strike(Fault.SOURCE_JVM);
        ended();
        String id = id(N1);
        JsonNode told = recover(4, N1);
        assertEquals("unknown", told.path("holder").asText());
        assertTrue(told.path("tryThis").asText().contains("--take-back " + id), told::toString);
        stands();
        recover(0, N1, "--take-back", id, "--dry-run");
        stands();
        assertEquals("here", recover(0, N1, "--take-back", id).path("holder").asText());
        runsOn(N1);
        NODES.link(N2, "up");
        assertEquals("here", recover(0, N1).path("holder").asText());
        assertWellOn(N1);
    }

    /** What the option warns of: then both run, and recover says so as soon as it can know. */
    @Tag("long")
    @Test
    void takenBackAlthoughItRanOnTheTarget() throws Exception {
        hold(FaultPoint.SOURCE_TAKEN);
        NODES.link(N2, "down");
        blow.strike(Fault.SOURCE_JVM);
        ended();
        recover(0, N1, "--take-back", id(N1));
        assertEquals("n1+n2", job.tally().grows());
        NODES.link(N2, "up");
        assertEquals("both", recover(4, N1).path("holder").asText());
        NODES.out(N2, "apptainer", "instance", "stop", FaultJob.NAME);
        assertTrue(recover(0, N1).isMissingNode());
        runsOn(N1);
    }

    /** The source sleeps when a person takes over; it wakes up, asks, and ends its copy. */
    @Test
    void takenOverWhileTheSourceSleeps() throws Exception {
        hold(FaultPoint.SOURCE_GRANTING);
        blow.signal(true, "jvm", "STOP");
        Thread.sleep(SILENCE_MILLIS);
        String id = id(N2);
        JsonNode waits = recover(0, N2);
        assertTrue(waits.path("tryThis").asText().contains("--take-over " + id), waits::toString);
        recover(0, N2, "--take-over", id, "--dry-run");
        stands();
        assertEquals("here", recover(0, N2, "--take-over", id).path("holder").asText());
        runsOn(N2);
        blow.signal(true, "jvm", "CONT");
        Thread.sleep(2000);
        blow.release();
        assertEquals(0, ended().exit());
        assertWellOn(N2);
    }

    /** A source that speaks still decides itself, then and later. */
    @Tag("long")
    @Test
    void notTakenOverWhileTheSourceSpeaks() throws Exception {
        hold(FaultPoint.SOURCE_LOADED);
        assertEquals("unknown", recover(4, N2, "--take-over", id(N2)).path("holder").asText());
        stands();
        blow.signal(true, "jvm", "STOP");
        Thread.sleep(SILENCE_MILLIS + 3000);
        stands();
        blow.signal(true, "jvm", "CONT");
        Thread.sleep(2000);
        blow.release();
        ended().failedWithJobOn(N1);
        assertWellOn(N1);
    }
}
