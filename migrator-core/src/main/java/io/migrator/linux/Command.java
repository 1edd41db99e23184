package io.migrator.linux;

import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;

/**
 * The one way to run a program to its end: an argument list (never a shell line), both outputs
 * drained at the same time and bounded, a deadline that must be given. Standard input is empty
 * unless it is given.
 *
 * <p>Immutable after {@link #run}; one run per instance.
 */
public final class Command {
    /** What is kept of each output; the rest is read and dropped. */
    private static final int KEPT_BYTES = 1 << 20;

    private static final File NULL = new File("/dev/null");

    /** Exit statuses of what a terminal's SIGHUP or SIGINT has ended. */
    private static final Set<Integer> HIT = Set.of(128 + 1, 128 + 2);

    /** The same for the program by which a JVM starts others. */
    private static final Pattern HELPER_HIT = Pattern.compile("spawn helper.*signal: [12]\\b");

    private final List<String> argv;
    private @Nullable Path directory;
    private @Nullable String input;
    private boolean apart;

    private Command(List<String> argv) {
        this.argv = argv;
    }

    /** A command by its words; the first is the program, looked up in PATH if it has no slash. */
    public static Command of(String... argv) {
        return new Command(List.of(argv));
    }

    /** A command by its words. */
    public static Command of(List<String> argv) {
        return new Command(List.copyOf(argv));
    }

    /** Sets the working directory. */
    public Command in(Path workingDirectory) {
        this.directory = workingDirectory;
        return this;
    }

    /** Gives it something to read. */
    public Command reading(String text) {
        this.input = text;
        return this;
    }

    /**
     * Runs it in a session of its own (setsid(1)): a Ctrl-C typed at our terminal, which we hear as
     * well and decide upon, does not end it too. One that comes before it has its session ends what
     * has done nothing yet: it is started again.
     */
    public Command apart() {
        this.apart = true;
        return this;
    }

    /** How a program ended: exit status (128 + signal where a signal ended it) and its outputs. */
    public record Result(List<String> argv, int exit, String out, String err) {
        /** Returns true if the exit status is 0. */
        public boolean ok() {
            return exit == 0;
        }

        /** The last lines of standard error, or of standard output where that is empty. */
        public String complaint() {
            String text = err.isBlank() ? out : err;
            List<String> lines = text.lines().filter(line -> !line.isBlank()).toList();
            return String.join("; ", lines.subList(Math.max(0, lines.size() - 3), lines.size()));
        }

        /** Returns this result if the program exited 0, else throws a problem that quotes it. */
        public Result orFail(String what) throws Problem {
            if (ok()) {
                return this;
            }
            throw Problem.failed(what)
                    .because(argv.getFirst() + " exited " + exit + ": " + complaint());
        }
    }

    /**
     * Runs the program and waits for its end.
     *
     * @param deadline after which the program and what it started is killed
     * @throws Problem if it could not be started or did not end in time
     * @throws InterruptedException if the thread was interrupted; the program is killed first
     */
    public Result run(Duration deadline) throws Problem, InterruptedException {
        long end = System.nanoTime() + deadline.toNanos();
        Result result = once(deadline);
        while (apart && HIT.contains(result.exit) && System.nanoTime() < end) {
            result = once(Duration.ofNanos(Math.max(0, end - System.nanoTime())));
        }
        return result;
    }

    private Result once(Duration deadline) throws Problem, InterruptedException {
        Process process = start();
        try {
            CompletableFuture<String> out = drain(process.getInputStream());
            CompletableFuture<String> err = drain(process.getErrorStream());
            if (input != null) {
                feed(process.getOutputStream(), input);
            }
            if (!process.waitFor(deadline.toMillis(), TimeUnit.MILLISECONDS)) {
                throw Problem.failed(argv.getFirst() + " did not end")
                        .because("killed after " + deadline.toSeconds() + " s: " + argv);
            }
            return new Result(argv, process.exitValue(), collected(out), collected(err));
        } finally {
            if (process.isAlive()) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
        }
    }

    private Process start() throws Problem {
        ProcessBuilder builder = new ProcessBuilder(new ArrayList<>(argv));
        if (input == null) {
            builder.redirectInput(ProcessBuilder.Redirect.from(NULL));
        }
        if (apart) {
            builder.command().addFirst("setsid");
        }
        if (directory != null) {
            builder.directory(directory.toFile());
        }
        withSystemPrograms(builder);
        try {
            return builder.start();
        } catch (IOException e) {
            if (apart && HELPER_HIT.matcher(String.valueOf(e.getMessage())).find()) {
                return start();
            }
            throw Problem.failed("could not start " + argv.getFirst())
                    .because(e.getMessage())
                    .causedBy(e);
        }
    }

    /** Those of root are looked for, too: cron and ssh often give a PATH without them. */
    static void withSystemPrograms(ProcessBuilder builder) {
        builder.environment().merge("PATH", "/usr/sbin:/sbin", (had, more) -> had + ":" + more);
    }

    /** A program that ends before it has read all of it tells by its exit status why. */
    private static void feed(OutputStream to, String text) {
        Thread.ofVirtual()
                .start(() -> {
                    try (to) {
                        to.write(text.getBytes(StandardCharsets.UTF_8));
                    } catch (IOException e) {
                        // told by its end
                    }
                });
    }

    /** A daemon that outlives the command may hold its output open: it is not waited for. */
    private static String collected(CompletableFuture<String> text) throws InterruptedException {
        try {
            return text.get(2, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            return "";
        }
    }

    private static CompletableFuture<String> drain(InputStream in) {
        CompletableFuture<String> result = new CompletableFuture<>();
        Thread.ofVirtual()
                .start(() -> {
                    try (in) {
                        result.complete(
                                new String(in.readNBytes(KEPT_BYTES), StandardCharsets.UTF_8));
                        in.transferTo(OutputStream.nullOutputStream());
                    } catch (IOException e) {
                        result.completeExceptionally(new UncheckedIOException(e));
                    }
                });
        return result;
    }
}
