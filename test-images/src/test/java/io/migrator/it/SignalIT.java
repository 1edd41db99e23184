package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.fault.FaultPoint;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Whoever migrates at a terminal wants it to stop: until the job is handed over it does, and the
 * job runs on n1 as before; from then on it goes on to its end, and the job runs on n2.
 */
class SignalIT {
    private static final int CANCELLED = 1;
    private static final long END_SECONDS = 100;

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    private final Terminal terminal = new Terminal(NODES);
    private FaultJob job;
    private Snapshot withJob;

    enum Wish {
        INT,
        TERM,
        HUP,
        /** Typed at the terminal: the kernel tells every program that was started there. */
        CONTROL_C,
        /** Typed again and again until it ends. */
        CONTROL_C_HAMMERED,
        CLOSED_TERMINAL
    }

    @BeforeEach
    void startJob() throws Exception {
        job = FaultJob.start(NODES, FaultWay.PRECOPY, false);
        withJob = NODES.snapshot(N1);
    }

    private static final List<FaultPoint> BEFORE =
            List.of(FaultPoint.SOURCE_DUMPING, FaultPoint.SOURCE_PAGING, FaultPoint.SOURCE_LOADED);
    private static final List<FaultPoint> AFTER =
            List.of(FaultPoint.SOURCE_GRANTED, FaultPoint.SOURCE_TAKEN);

    static Stream<Arguments> wishesBeforeTheGrant() {
        return wishesAt(BEFORE).filter(SignalIT::isOften);
    }

    static Stream<Arguments> wishesAfterTheGrant() {
        return wishesAt(AFTER).filter(SignalIT::isOften);
    }

    static Stream<Arguments> wishesEverywhere() {
        return Stream.concat(wishesAt(BEFORE), wishesAt(AFTER));
    }

    private static Stream<Arguments> wishesAt(List<FaultPoint> points) {
        return points.stream()
                .flatMap(point ->
                        Arrays.stream(Wish.values()).map(wish -> Arguments.of(point, wish)));
    }

    /** Every wish once, either before the grant or after it, and every point with one of them. */
    private static boolean isOften(Arguments each) {
        FaultPoint point = (FaultPoint) each.get()[0];
        Wish wish = (Wish) each.get()[1];
        List<FaultPoint> points = Stream.of(BEFORE, AFTER).flatMap(List::stream).toList();
        return points.indexOf(point) == wish.ordinal() % points.size();
    }

    @Tag("long")
    @ParameterizedTest
    @MethodSource("wishesEverywhere")
    void everyWishAtEveryPoint(FaultPoint point, Wish wish) throws Exception {
        if (BEFORE.contains(point)) {
            stopsAndTheJobStays(point, wish);
        } else {
            goesOnAndTheJobGoes(point, wish);
        }
    }

    @ParameterizedTest
    @MethodSource("wishesBeforeTheGrant")
    void stopsAndTheJobStays(FaultPoint point, Wish wish) throws Exception {
        Moved moved = migrateAndWish(point, wish);
        assertEquals(CANCELLED, moved.exit(), moved.err());
        assertTrue(wish == Wish.CLOSED_TERMINAL || moved.err().contains("cancelled"), moved.err());
        assertRunsOn(N1);
    }

    @ParameterizedTest
    @MethodSource("wishesAfterTheGrant")
    void goesOnAndTheJobGoes(FaultPoint point, Wish wish) throws Exception {
        Moved moved = migrateAndWish(point, wish);
        assertEquals(0, moved.exit(), moved.err());
        assertRunsOn(N2);
    }

    /** Ctrl-C ends the ssh program too, which was started at the same terminal. */
    @Tag("long")
    @ParameterizedTest
    @CsvSource({"SOURCE_LOADED, n1", "SOURCE_TAKEN, n2"})
    void controlCEndsTheSshProgramElsewhere(FaultPoint point, String runsOn) throws Exception {
        controlCEndsTheSshProgramToo(point, runsOn);
    }

    @ParameterizedTest
    @CsvSource("SOURCE_GRANTED, n2")
    void controlCEndsTheSshProgramToo(FaultPoint point, String runsOn) throws Exception {
        Moved moved = migrateAndWish(point, Wish.CONTROL_C, "--transport", "ssh");
        assertEquals(runsOn.equals(N1) ? CANCELLED : 0, moved.exit(), moved.err());
        assertRunsOn(runsOn);
    }

    @Test
    void aCheckOfATargetThatIsSilentStops() throws Exception {
        CompletableFuture<String> stopped =
                Moving.start(() ->
                        NODES.bash(
                                N2,
                                "for _ in {1..2000}; do pid=$(pgrep -f 'migrator.jar receive$') &&"
                                        + " exec kill -STOP $pid; sleep 0.005; done; exit 9"));
        CompletableFuture<Moved> moving =
                Moving.start(() -> terminal.migrate(FaultJob.NAME, "--dry-run"));
        stopped.get(END_SECONDS, TimeUnit.SECONDS);
        Thread.sleep(1000); // it has asked by then
        FaultBlow blow = new FaultBlow(NODES, FaultPoint.SOURCE_CHECKED);
        blow.signal(true, "jvm", "INT");
        Moved moved = ended(moving);
        assertEquals(CANCELLED, moved.exit(), moved.err());
        assertTrue(moved.err().contains("cancelled"), moved.err());
        blow.signal(false, "jvm", "CONT");
        assertRunsOn(N1);
    }

    /** A laptop is shut for 30 s: longer than the receiver waits for a source that is silent. */
    @Tag("long")
    @ParameterizedTest
    @CsvSource({
        "SOURCE_PAGING, STOP_OWN, 1, n1",
        "SOURCE_PAGING, STOP_OTHER, 0, n2",
        "SOURCE_GRANTED, STOP_OWN, 0, n2",
        "TARGET_TAKING, STOP_OWN, 0, n2"
    })
    void aSideSleeps(FaultPoint point, Fault sleep, int exit, String runsOn) throws Exception {
        FaultBlow blow = new FaultBlow(NODES, point);
        blow.arm();
        CompletableFuture<Moved> moving = Moving.start(() -> terminal.migrate(FaultJob.NAME));
        blow.await(moving);
        blow.strike(sleep);
        Moved moved = ended(moving);
        blow.heal();
        assertEquals(exit, moved.exit(), moved.err());
        assertRunsOn(runsOn);
    }

    private Moved migrateAndWish(FaultPoint point, Wish wish, String... options) throws Exception {
        FaultBlow blow = new FaultBlow(NODES, point);
        blow.arm();
        CompletableFuture<Moved> moving =
                Moving.start(() -> terminal.migrate(FaultJob.NAME, options));
        blow.await(moving);
        switch (wish) {
            case INT, TERM, HUP -> blow.signal(true, "jvm", wish.name());
            case CONTROL_C, CONTROL_C_HAMMERED -> terminal.typeControlC();
            case CLOSED_TERMINAL -> terminal.close();
        }
        Thread.sleep(300); // the wish is heard while the migration is still held
        blow.release();
        while (wish == Wish.CONTROL_C_HAMMERED && !moving.isDone()) {
            terminal.typeControlC();
        }
        Moved moved = ended(moving);
        blow.heal();
        return moved;
    }

    private static Moved ended(CompletableFuture<Moved> moving) throws Exception {
        return moving.get(END_SECONDS, TimeUnit.SECONDS);
    }

    /** One copy, whole, with its connection; and nothing else is left on either node. */
    private void assertRunsOn(String node) throws Exception {
        assertEquals(node, job.tally().grows());
        assertEquals(List.of(), job.verify(node));
        assertEquals("alive", job.connection(node));
        if (node.equals(N1)) {
            NODES.assertAs(N1, withJob);
            NODES.migrate(N1, FaultJob.NAME).well();
            assertEquals(List.of(), job.verify(N2));
        }
        job.stopOnTarget();
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
        assertEquals(0, job.tally().doubled());
        assertEquals(0, job.tally().lost());
    }
}
