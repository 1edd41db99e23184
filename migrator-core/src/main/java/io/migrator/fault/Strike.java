package io.migrator.fault;

import io.migrator.linux.Command;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Makes armed faults happen, each once in the life of this program. Any thread. */
final class Strike {
    private static final Duration PROGRAM = Duration.ofSeconds(10);
    private static final Duration HOLD_LIMIT = Duration.ofSeconds(120);
    private static final long POLL_MILLIS = 5;

    /** A file here, named like the point, says that a program of the pid in it is held there. */
    private static final Path HELD = Path.of("/run/migrator-fault");

    private static @Nullable Strike current;

    private final FaultPlan plan;
    private final Set<FaultPoint> struck =
            Collections.synchronizedSet(EnumSet.noneOf(FaultPoint.class));

    private Strike(FaultPlan plan) {
        this.plan = plan;
    }

    /** What is armed for this process; the text is read once. */
    static synchronized Strike ofThisProcess(String text) throws Problem {
        Strike known = current;
        if (known == null) {
            known = new Strike(FaultPlan.parse(text));
            current = known;
        }
        return known;
    }

    void at(FaultPoint point) throws Problem, InterruptedException {
        FaultAction action = plan.at(point).orElse(null);
        if (action == null || !struck.add(point)) {
            return;
        }
        System.err.println("migrator: fault: " + point.text() + "=" + action.text());
        try {
            happen(point, action);
        } catch (IOException e) {
            throw Problem.failed("the fault at " + point.text() + " could not be made")
                    .because(e.toString())
                    .causedBy(e);
        }
    }

    private static void happen(FaultPoint point, FaultAction action)
            throws IOException, Problem, InterruptedException {
        switch (action) {
            case FaultAction.Kill(FaultAction.Victim victim) -> Victims.kill(victim);
            case FaultAction.Delay(Duration time) -> Thread.sleep(time);
            case FaultAction.Fail() ->
                    throw Problem.failed("a fault was armed at " + point.text())
                            .because(point.description());
            case FaultAction.Cut cut -> cut(cut);
            case FaultAction.Fill() -> FullMemory.fill();
            case FaultAction.Hold() -> hold(point);
        }
    }

    private static void cut(FaultAction.Cut cut) throws IOException, Problem, InterruptedException {
        Command.of("ip", "link", "set", "eth0", "down")
                .run(PROGRAM)
                .orFail("the link could not be cut");
        if (cut.heal().isPresent()) {
            // a session of its own: it has to outlive this program, and a sweep finds it by its
            // name
            String line =
                    "sleep %d; ip link set eth0 up # migrator-fault"
                            .formatted(cut.heal().get().toSeconds());
            new ProcessBuilder(List.of("setsid", "sh", "-c", line))
                    .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
        }
    }

    private static void hold(FaultPoint point) throws IOException, InterruptedException {
        Files.createDirectories(HELD);
        Path held = HELD.resolve(point.text());
        Path draft = HELD.resolve(point.text() + ".draft");
        Files.writeString(draft, ProcessHandle.current().pid() + "\n");
        Files.move(draft, held, StandardCopyOption.ATOMIC_MOVE);
        try {
            long end = System.nanoTime() + HOLD_LIMIT.toNanos();
            while (Files.exists(held) && System.nanoTime() < end) {
                Thread.sleep(POLL_MILLIS);
            }
        } finally {
            Files.deleteIfExists(held);
        }
    }
}
