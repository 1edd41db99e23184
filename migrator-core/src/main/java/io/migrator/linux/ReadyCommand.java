package io.migrator.linux;

import io.migrator.problem.Problem;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A program that reads what to do from its standard input, started before it is needed: where every
 * millisecond counts there is nothing left to start. Used once. One thread; owns the process.
 */
public final class ReadyCommand implements AutoCloseable {
    private final List<String> argv;
    private final Process process;
    private boolean told;

    private ReadyCommand(List<String> argv, Process process) {
        this.argv = argv;
        this.process = process;
    }

    /** Starts a program in a session of its own; it waits for its input. */
    public static ReadyCommand start(List<String> argv) throws Problem {
        List<String> words = new ArrayList<>(List.of("setsid"));
        words.addAll(argv);
        ProcessBuilder builder = new ProcessBuilder(words).redirectErrorStream(true);
        Command.withSystemPrograms(builder);
        try {
            return new ReadyCommand(List.copyOf(argv), builder.start());
        } catch (IOException e) {
            throw Problem.failed("could not start " + argv.getFirst()).because(e.getMessage());
        }
    }

    /** Gives it its whole input; does not wait. */
    public void tell(String input) throws Problem {
        told = true;
        try (OutputStream in = process.getOutputStream()) {
            in.write(input.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw Problem.failed(String.join(" ", argv) + " does not listen")
                    .because(e.getMessage());
        }
    }

    /**
     * Waits for its end.
     *
     * @return what it said, if it ended well
     * @throws Problem if it did not, or not in time
     */
    public String orFail(String what, Duration deadline) throws Problem, InterruptedException {
        if (!told) {
            throw new IllegalStateException("told nothing");
        }
        if (!process.waitFor(deadline)) {
            throw Problem.failed(what).because(argv.getFirst() + " does not end");
        }
        String said = said();
        if (process.exitValue() != 0) {
            throw Problem.failed(what).because(String.join("; ", said.lines().limit(3).toList()));
        }
        return said;
    }

    private String said() throws Problem {
        try {
            return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw Problem.failed(argv.getFirst() + " is not heard").because(e.getMessage());
        }
    }

    /** Ends it if it still waits. */
    @Override
    public void close() {
        process.destroyForcibly();
    }
}
