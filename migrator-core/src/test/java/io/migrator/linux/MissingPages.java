package io.migrator.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.migrator.linux.LazyTasks.Task;

import org.junit.jupiter.api.Assumptions;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A program that does what it is told with memory of which all pages are missing
 * (missing-pages.py), and so do its children.
 */
public final class MissingPages implements AutoCloseable {
    private static final int PAGE = 4096;
    private static final int MILLIS = 5000;

    /** So long nothing comes that would have come at once. */
    private static final int QUIET_MILLIS = 300;

    private static final Path KEEPER = Path.of("target/native/keeper");

    private final Process program;
    private final BlockingQueue<String> said = new LinkedBlockingQueue<>();
    private UserFault memory;
    private long start;
    private long aside;

    private MissingPages(Process program) {
        this.program = program;
    }

    /** Starts it; where that is not possible the test is skipped. */
    public static MissingPages of(Path directory, int pages) throws Exception {
        Path script = directory.resolve("missing-pages.py");
        try (InputStream in = MissingPages.class.getResourceAsStream("missing-pages.py")) {
            Files.copy(in, script);
        }
        Path path = directory.resolve("lazy-pages.socket");
        try (DescriptorSocket socket = DescriptorSocket.listen(path)) {
            MissingPages started;
            try {
                started =
                        new MissingPages(
                                new ProcessBuilder("python3", script + "", path + "", pages + "")
                                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                                        .start());
            } catch (IOException e) {
                return Assumptions.abort("no python3: " + e.getMessage());
            }
            Thread.ofPlatform().daemon().start(started::listen);
            if (!socket.accept(MILLIS)) {
                String why = started.answer();
                Assumptions.assumeFalse(why.startsWith("cannot userfaultfd"), why);
                Assumptions.assumeFalse(why.startsWith("cannot UFFDIO_API"), why);
                fail(why);
            }
            assertFalse(Files.exists(path));
            started.receive(new LazyTasks(socket));
            return started;
        }
    }

    private void receive(LazyTasks tasks) throws IOException, InterruptedException {
        Task first = tasks.next().orElseThrow();
        memory = first.memory();
        assertNotNull(memory);
        assertTrue(ProcessHandle.of(first.pid()).isPresent());
        assertEquals(Optional.of(new Task(77, null)), tasks.next());
        assertFalse(tasks.finished());
        assertEquals(Optional.empty(), tasks.next());
        assertTrue(tasks.finished());
        String[] places = answer().split(" ");
        start = Long.parseLong(places[0]);
        aside = Long.parseLong(places[1]);
    }

    private void listen() {
        try (BufferedReader lines = program.inputReader()) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                said.add(line);
            }
        } catch (IOException e) {
            said.add(e.toString());
        }
    }

    /** A keeper as it is built here. */
    public static Keeper keeper() throws IOException {
        return Keeper.start(KEEPER);
    }

    /** So many pages with one value in all bytes. */
    public static ByteBuffer pages(int count, int value) {
        ByteBuffer pages = ByteBuffer.allocateDirect(count * PAGE);
        while (pages.hasRemaining()) {
            pages.put((byte) value);
        }
        return pages.flip();
    }

    /** What it lacks; the caller's to close. */
    public UserFault memory() {
        return memory;
    }

    /** Where a page lies; those that are missing are counted from 0. */
    public long at(int page) {
        return start + (long) page * PAGE;
    }

    /** The number of the first of as many pages that are not missing. */
    public int aside() {
        return Math.toIntExact((aside - start) / PAGE);
    }

    /** Tells it what to do. */
    public void order(String line) throws IOException {
        program.outputWriter().append(line).append('\n').flush();
    }

    /** What it says next. */
    public String answer() throws InterruptedException {
        String line = said.poll(MILLIS, TimeUnit.MILLISECONDS);
        assertNotNull(line, "it says nothing");
        return line;
    }

    /** What it has said; null if it has said nothing. */
    public String answerNow() {
        return said.poll();
    }

    /** It says nothing. */
    public void assertQuiet() throws InterruptedException {
        assertNull(said.poll(QUIET_MILLIS, TimeUnit.MILLISECONDS));
    }

    /** Kills it and its children. */
    public void kill() throws InterruptedException {
        program.descendants().forEach(ProcessHandle::destroyForcibly);
        program.destroyForcibly();
        assertTrue(program.waitFor(MILLIS, TimeUnit.MILLISECONDS));
    }

    @Override
    public void close() throws InterruptedException {
        kill();
    }
}
