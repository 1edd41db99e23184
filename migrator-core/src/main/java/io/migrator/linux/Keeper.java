package io.migrator.linux;

import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * A process that holds {@link UserFault}s, so that they outlive this JVM (keeper.c): while it lives
 * a process that lacks pages waits for them, and never gets zeros in their place.
 *
 * <p>{@link #close} leaves it as it is, as does this JVM's end. Any thread.
 */
public final class Keeper implements AutoCloseable {
    private static final int END_SECONDS = 10;
    private static final Path OURS = Path.of("/proc/self/fd");
    private static final Path USERFAULTFD = Path.of("anon_inode:[userfaultfd]");

    private final Process process;
    private final PidFd held;
    private final BufferedReader answers;
    private final Writer orders;
    private final Path program;
    private boolean closed;

    private Keeper(Path program, Process process, PidFd held) {
        this.program = program;
        this.process = process;
        this.held = held;
        this.answers = process.inputReader();
        this.orders = process.outputWriter();
    }

    /** Starts one, which holds nothing yet. */
    public static Keeper start() throws Problem, IOException {
        return start(NativeParts.path("keeper"));
    }

    static Keeper start(Path program) throws IOException {
        ProcessBuilder builder =
                new ProcessBuilder(
                                program.toString(), String.valueOf(ProcessHandle.current().pid()))
                        .redirectError(ProcessBuilder.Redirect.DISCARD);
        builder.environment().clear();
        Process process = builder.start();
        try {
            return new Keeper(program, process, PidFd.open(process.pid()));
        } catch (IOException e) {
            process.destroyForcibly();
            throw e;
        }
    }

    /** Starts another of the same program. */
    public Keeper another() throws IOException {
        return start(program);
    }

    /** Whether it runs. */
    public boolean isAlive() {
        return process.isAlive();
    }

    /** Its process, from which another JVM can take what it holds ({@link #taken}). */
    public long pid() {
        return held.pid();
    }

    /**
     * Lets it hold a descriptor, too.
     *
     * @return its number there
     */
    public synchronized int hold(UserFault memory) throws IOException {
        String answer = ask("hold " + memory.fd());
        if (!answer.startsWith("held ")) {
            throw new IOException("the keeper could not take a descriptor: " + answer);
        }
        return Integer.parseInt(answer.substring("held ".length()));
    }

    /** Lets it close a descriptor. */
    public synchronized void drop(int number) throws IOException {
        String answer = ask("drop " + number);
        if (!answer.equals("dropped " + number)) {
            throw new IOException("the keeper could not drop a descriptor: " + answer);
        }
    }

    private String ask(String order) throws IOException {
        orders.write(order + "\n");
        orders.flush();
        @Nullable String answer = answers.readLine();
        if (answer == null) {
            throw new IOException("the keeper has ended");
        }
        return answer;
    }

    /**
     * A duplicate of what a keeper holds, whoever started it (pidfd_getfd(2)). Needs the right to
     * trace it (ptrace(2)).
     */
    public static UserFault taken(long keeperPid, int number) throws IOException {
        try (PidFd keeper = PidFd.open(keeperPid)) {
            long fd = Syscalls.call(Syscalls.PIDFD_GETFD, keeper.descriptor(), number, 0);
            if (fd < 0) {
                throw new IOException(
                        "descriptor %d of keeper %d: %s"
                                .formatted(number, keeperPid, Errno.text((int) -fd)));
            }
            UserFault taken = UserFault.of((int) fd);
            if (!Files.readSymbolicLink(OURS.resolve(String.valueOf(fd))).equals(USERFAULTFD)) {
                taken.close();
                throw new IOException("process " + keeperPid + " is not the keeper");
            }
            return taken;
        }
    }

    /** Kills it, waits for its end, and closes this; may be called again, and after close. */
    public synchronized void end() throws IOException, InterruptedException {
        try {
            process.destroyForcibly(); // our child: its pid cannot be another's
            if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                throw new IOException("the keeper " + pid() + " does not end");
            }
        } finally {
            close();
        }
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        try (held;
                answers;
                orders) {
        } catch (IOException e) {
            // it has ended, and what it was to be told last is of no use
        }
    }
}
