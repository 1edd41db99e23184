package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.fault.FaultPoint;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A rehearsal says how it would have gone; the job never ran on n2 and nothing is left. */
class RehearseIT {
    private static final int REFUSED = 3;
    private static final int FEW = 5;
    private static final int MANY = 200;

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    private FaultJob job;
    private Snapshot withJob;

    private void startJob() throws Exception {
        job = FaultJob.start(NODES, FaultWay.PRECOPY, false);
        withJob = NODES.snapshot(N1);
    }

    @Test
    void aFew() throws Exception {
        rehearse(FEW);
    }

    @Test
    @Tag("long")
    void many() throws Exception {
        rehearse(MANY);
    }

    private void rehearse(int times) throws Exception {
        startJob();
        List<Double> frozenMillis = new ArrayList<>();
        for (int i = 0; i < times; i++) {
            Moved moved = NODES.rehearse(N1, FaultJob.NAME);
            frozenMillis.add(assertRehearsed(moved));
            assertEquals(List.of(), job.verify(N1));
        }
        frozenMillis.sort(null);
        System.out.printf(
                "rehearse: %d times, frozen %.0f to %.0f ms, median %.0f ms%n",
                times,
                frozenMillis.getFirst(),
                frozenMillis.getLast(),
                frozenMillis.get(times / 2));
        assertUndone();
    }

    private static double assertRehearsed(Moved moved) {
        assertEquals(0, moved.exit(), moved.err());
        assertEquals("rehearsed", moved.json().path("outcome").asText(), moved.err());
        assertTrue(moved.json().path("warnings").isEmpty(), moved.json()::toString);
        double millis = moved.json().path("frozenMillis").asDouble();
        assertTrue(millis > 0, moved.json()::toString);
        String said = "it stood still for %.0f ms and runs on here".formatted(millis);
        assertTrue(moved.err().contains(said), moved.err());
        return millis;
    }

    @Test
    void whatWouldBeRefusedIsRefused() throws Exception {
        NODES.out(N2, "apptainer", "instance", "start", TwoNodes.IMAGE, FaultJob.NAME);
        Snapshot taken = NODES.snapshot(N2);
        startJob();
        Moved moved = NODES.rehearse(N1, FaultJob.NAME);
        moved.refused(REFUSED);
        assertTrue(moved.err().contains("'job' runs on n2"), moved.err());
        NODES.assertAs(N2, taken);
        NODES.out(N2, "apptainer", "instance", "stop", FaultJob.NAME);
        assertUndone();
    }

    @Test
    void whatOnlyTheRestoreShowsIsTold() throws Exception {
        startJob();
        NODES.bash(N2, "echo target-restored=fail >/etc/migrator-fault");
        Moved moved = NODES.rehearse(N1, FaultJob.NAME);
        moved.failedWithJobOn(N1);
        assertTrue(moved.err().contains("target-restored"), moved.err());
        NODES.bash(N2, "rm /etc/migrator-fault");
        assertUndone();
    }

    @Test
    void cancelledItIsUndone() throws Exception {
        startJob();
        FaultBlow blow = new FaultBlow(NODES, FaultPoint.SOURCE_LOADED);
        blow.arm();
        CompletableFuture<Moved> moving = Moving.start(() -> NODES.rehearse(N1, FaultJob.NAME));
        blow.await(moving);
        blow.signal(true, "jvm", "INT");
        Moved moved = moving.get(60, TimeUnit.SECONDS);
        moved.failedWithJobOn(N1);
        assertTrue(moved.err().contains("cancelled"), moved.err());
        blow.heal();
        assertUndone();
    }

    /** The target sleeps when it is to discard its copy, and somebody loses patience. */
    @Test
    void aCancelThatComesTooLateCutsNoUndoingShort() throws Exception {
        startJob();
        FaultBlow blow = new FaultBlow(NODES, FaultPoint.SOURCE_LOADED);
        blow.arm();
        CompletableFuture<Moved> moving = Moving.start(() -> NODES.rehearse(N1, FaultJob.NAME));
        blow.await(moving);
        blow.signal(false, "jvm", "STOP");
        blow.release();
        assertEquals(N1, job.tally().grows());
        blow.signal(true, "jvm", "INT");
        Thread.sleep(500); // in which a rehearsal that gives up would
        blow.signal(false, "jvm", "CONT");
        assertRehearsed(moving.get(60, TimeUnit.SECONDS));
        blow.heal();
        assertUndone();
    }

    private void assertUndone() throws Exception {
        assertEquals(N1, job.tally().grows());
        assertEquals(Set.of(N1), job.tally().writers());
        assertEquals(0, job.tally().doubled());
        assertEquals(0, job.tally().lost());
        assertEquals(List.of(), job.verify(N1));
        assertEquals("alive", job.connection(N1));
        NODES.assertAs(N1, withJob);
        NODES.assertAsBefore(N2);
    }
}
