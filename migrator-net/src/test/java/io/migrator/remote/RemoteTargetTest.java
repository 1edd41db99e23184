package io.migrator.remote;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.handover.SourceJournal;
import io.migrator.handover.Token;
import io.migrator.instance.ImageIdentity;
import io.migrator.instance.StartOptions;
import io.migrator.linux.Clocks;
import io.migrator.memory.JobSink;
import io.migrator.migration.Needs;
import io.migrator.migration.NetworkNeeds;
import io.migrator.migration.Order;
import io.migrator.migration.Survey;
import io.migrator.network.NetworkPlan;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;
import io.migrator.remote.Envelope.Kind;
import io.migrator.wire.Compression;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** What the source makes of a target that answers, refuses, is silent, lies or dies. */
@Timeout(30)
class RemoteTargetTest {
    private static final Duration PATIENT = Duration.ofSeconds(20);
    private static final Duration HASTY = Duration.ofMillis(300);
    private static final Survey SURVEY =
            new Survey(
                    "job",
                    new ImageIdentity("/i.sif", "a", 1, "2.0", 3, ""),
                    "4.2.1",
                    new byte[] {1},
                    new NetworkNeeds(
                            NetworkPlan.NONE, List.of(), List.of(), List.of(), Map.of(), false),
                    false,
                    Map.of("open files", new Survey.Limit("1 (job)", 1024)),
                    new Needs(0, 4096));
    private static final Order ORDER =
            new Order(
                    "m1",
                    Token.fresh(),
                    "boot",
                    "job",
                    new StartOptions("/i.sif", List.of(), Map.of(), List.of()),
                    List.of(25),
                    List.of(),
                    List.of(),
                    new Clocks(5, 6),
                    NetworkPlan.NONE,
                    0,
                    false,
                    List.of(),
                    null);

    private final AtomicInteger redialled = new AtomicInteger();

    @Test
    void requestsGetTheirAnswers() throws Exception {
        FarEnd far =
                FarEnd.playing((request, out) ->
                        FarEnd.ok(
                                request, request.kind() == Kind.SURVEY ? FarEnd.FACTS : null, out));
        try (RemoteTarget target = target(far, PATIENT)) {
            assertEquals(FarEnd.FACTS, target.survey(SURVEY));
            target.restore(List.of());
            target.load(0);
            target.take();
            target.discard();
        }
        assertEquals(List.of(Kind.SURVEY, Kind.RESTORE, Kind.LOAD, Kind.TAKE), far.heard);
    }

    @Test
    void aRefusalArrivesAsItWasMade() throws Exception {
        Problem refusal =
                Problem.refused("the instance name is taken").because("it runs").tryThis("another");
        FarEnd far =
                FarEnd.playing((request, out) -> FarEnd.problem(refusal, request.number(), out));
        try (RemoteTarget target = target(far, PATIENT)) {
            Problem told = assertThrows(Problem.class, () -> target.prepare(ORDER));
            assertEquals(ExitCode.REFUSED, told.exitCode());
            assertEquals("the instance name is taken", told.what());
            assertEquals("it runs", told.because());
            assertEquals("another", told.tryThis());
        }
    }

    @Test
    void aLateAnswerIsNotTakenForTheNextOne() throws Exception {
        FarEnd far =
                FarEnd.playing((request, out) -> {
                    out.write(Envelope.of(Kind.OK, request.number() + 7, "other").toFrame());
                    FarEnd.ok(request, FarEnd.FACTS, out);
                });
        try (RemoteTarget target = target(far, PATIENT)) {
            assertEquals(FarEnd.FACTS, target.survey(SURVEY));
        }
    }

    @Test
    void anAnswerOfTheWrongShapeIsNonsense() throws Exception {
        FarEnd far = FarEnd.playing((request, out) -> FarEnd.ok(request, List.of(1, 2), out));
        try (RemoteTarget target = target(far, PATIENT)) {
            Problem problem = assertThrows(Problem.class, () -> target.survey(SURVEY));
            assertEquals("n2 answered nonsense", problem.what());
        }
    }

    /** A login script that prints is the usual case. */
    @Test
    void anythingButOurStreamIsTold() throws Exception {
        FarEnd far = FarEnd.saying("Welcome to n2!\n".getBytes(StandardCharsets.UTF_8));
        try (RemoteTarget target = target(far, PATIENT)) {
            Problem problem = assertThrows(Problem.class, () -> target.survey(SURVEY));
            assertEquals(ExitCode.REFUSED, problem.exitCode());
            assertTrue(problem.because().contains("MIGR"), problem.because());
        }
    }

    @Test
    void whatTheProgramSaidIsQuotedWhenItEnds() throws Exception {
        FarEnd far = FarEnd.saying(new byte[0]);
        far.stderr = "bash: migrator: command not found\n";
        try (RemoteTarget target = target(far, PATIENT)) {
            Problem problem = assertThrows(Problem.class, () -> target.survey(SURVEY));
            assertEquals("bash: migrator: command not found", problem.because());
        }
    }

    @Test
    void silenceEndsInTime() throws Exception {
        FarEnd far = FarEnd.playing((request, out) -> {});
        try (RemoteTarget target = target(far, HASTY)) {
            Problem problem = assertThrows(Problem.class, () -> target.prepare(ORDER));
            assertEquals("it did not answer in time", problem.because());
            // a receiver that is stuck does not hear: it is removed by another connection
            Problem advice = assertThrows(Problem.class, target::discard);
            assertEquals(1, redialled.get());
            assertTrue(advice.because().contains("no route"), advice.because());
            assertTrue(advice.what().endsWith("migrator recover"), advice.what());
        }
        assertEquals(List.of(Kind.PREPARE), far.heard);
    }

    @Test
    void aProblemWithAnImageFailsTheNextCall() throws Exception {
        FarEnd far =
                FarEnd.playing((request, out) -> {
                    if (request.kind() == Kind.ALIVE) { // the end of a file
                        FarEnd.problem(Problem.failed("no room").because("full"), 0, out);
                    } else {
                        FarEnd.ok(request, null, out);
                    }
                });
        try (RemoteTarget target = target(far, PATIENT)) {
            JobSink images = target.sink();
            images.open(1, "pages-1.img");
            images.data(1, 0, ByteBuffer.wrap(new byte[10]));
            images.end(1, 10);
            target.load(10); // its answer comes after the problem
            Problem told =
                    assertThrows(
                            Problem.class, () -> images.data(2, 0, ByteBuffer.wrap(new byte[10])));
            assertEquals("no room", told.what());
            target.discard(); // the link is as good as before
        }
        assertEquals(List.of(Kind.LOAD, Kind.DISCARD), far.heard);
        assertEquals(0, redialled.get());
    }

    /** Whether it runs there nobody here can tell: the source must not run it either. */
    @Test
    void noAnswerToTheTokenIsUndecided() throws Exception {
        FarEnd far = FarEnd.playing((request, out) -> {});
        try (RemoteTarget target = target(far, HASTY)) {
            Problem problem = assertThrows(Problem.class, target::take);
            assertEquals(ExitCode.UNDECIDED, problem.exitCode());
        }
        assertEquals(List.of(Kind.TAKE), far.heard);
        assertEquals(0, redialled.get());
    }

    @Test
    void deathAfterTheTokenIsUndecided() throws Exception {
        FarEnd[] far = new FarEnd[1];
        far[0] = FarEnd.playing((request, out) -> far[0].die());
        try (RemoteTarget target = target(far[0], PATIENT)) {
            Problem problem = assertThrows(Problem.class, target::take);
            assertEquals(ExitCode.UNDECIDED, problem.exitCode());
        }
    }

    /** A person may have let the job go there since the link broke. */
    @Test
    void aTokenThatCannotBeSentIsUndecided() throws Exception {
        try (RemoteTarget target = target(FarEnd.saying(new byte[0]), PATIENT)) {
            assertThrows(Problem.class, () -> target.load(0));
            Problem problem = assertThrows(Problem.class, target::take);
            assertEquals(ExitCode.UNDECIDED, problem.exitCode());
        }
    }

    @Test
    void aTargetThatSaysItDidNotTakeIsBelieved() throws Exception {
        Problem refusal = Problem.failed("criu's restore failed");
        FarEnd far =
                FarEnd.playing((request, out) -> FarEnd.problem(refusal, request.number(), out));
        try (RemoteTarget target = target(far, PATIENT)) {
            Problem problem = assertThrows(Problem.class, target::take);
            assertEquals(ExitCode.FAILED, problem.exitCode());
        }
    }

    /** From the token on only the target's answer counts. */
    @Test
    void anInterruptDoesNotAbandonTheToken() throws Exception {
        Thread caller = Thread.currentThread();
        FarEnd far =
                FarEnd.playing((request, out) -> {
                    pause(); // the caller has sent it and waits
                    caller.interrupt();
                    pause();
                    FarEnd.ok(request, null, out);
                });
        try (RemoteTarget target = target(far, PATIENT)) {
            target.take();
            assertTrue(Thread.interrupted(), "the interrupt is kept for the caller");
        }
    }

    private static void pause() throws IOException {
        try {
            Thread.sleep(100);
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    private RemoteTarget target(FarEnd far, Duration limit) throws IOException {
        return new RemoteTarget(
                "n2",
                List.of("migrator"),
                limit,
                new RemoteNode(
                        new SourceJournal.Far("n2", "auto", "migrator"),
                        () -> {
                            redialled.incrementAndGet();
                            throw Problem.refused("no route");
                        }),
                new Line("n2", far, Compression.NONE));
    }
}
