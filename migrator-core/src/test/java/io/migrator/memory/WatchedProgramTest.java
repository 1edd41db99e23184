package io.migrator.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.linux.PidFd;
import io.migrator.linux.PidFd.Signal;
import io.migrator.linux.Proc;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * What pre-copy does to programs that do with their memory what few do; these are compiled here.
 */
@Timeout(60)
class WatchedProgramTest {
    private static final Duration REMAPPED = Duration.ofSeconds(3);

    private final PreCopy copy = PreCopyTest.of(Tracking.PROTECT, new StoreSink());

    @AfterEach
    void end() throws Exception {
        copy.close();
    }

    static Path compiled(String name, Path directory) throws Exception {
        Path program = directory.resolve(name);
        try (InputStream source = WatchedProgramTest.class.getResourceAsStream("/" + name + ".c")) {
            Files.copy(source, directory.resolve(name + ".c"));
        }
        Process made = new ProcessBuilder("gcc", "-O2", "-o", program + "", program + ".c").start();
        assertEquals(0, made.waitFor());
        return program;
    }

    /** What would be taken for it is its parent's, whose tracker would trust it. */
    @Test
    void aChildInItsParentsMemoryIsLeftAlone(@TempDir Path directory) throws Exception {
        // not a child of this JVM, which would take its stop for its end
        Process shell =
                new ProcessBuilder("sh", "-c", compiled("vfork", directory) + "; exit $?").start();
        Proc child = new Proc(Long.parseLong(shell.inputReader().readLine()));
        copy.watch(PreCopyTest.treeOf(child, "vfork"));
        assertFalse(copy.watches());
        assertEquals(List.of(), copy.unwatched());
        copy.watch(PreCopyTest.treeOf(new Proc(child.parent()), "vfork"));
        assertEquals(1, copy.unwatched().size(), "it stands still in vfork, so it is not stopped");
        shell.outputWriter().close();
        assertEquals(0, shell.waitFor());
    }

    /** A mapping that came while others were taken must not be two, or its mremap(2) fails. */
    @Test
    void whatItMapsMeanwhileStaysInOnePiece(@TempDir Path directory) throws Exception {
        Path program = compiled("remap", directory);
        // not a child of this JVM either
        Process parent =
                new ProcessBuilder("sh", "-c", program + " & echo $!; wait $!")
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        Proc process = new Proc(Long.parseLong(parent.inputReader().readLine()));
        try (PidFd held = PidFd.open(process.pid())) {
            while (!process.name().equals("remap")) {
                Thread.onSpinWait(); // the shell's child has not executed it yet
            }
            copy.watch(PreCopyTest.treeOf(process, "remap"));
            assertEquals(List.of(), copy.unwatched());
            long end = System.nanoTime() + REMAPPED.toNanos();
            while (System.nanoTime() < end) {
                copy.round();
            }
            assertTrue(parent.isAlive(), "it ended");
            assertTrue(Files.readString(process.file("smaps")).contains(" uw"), "not watched");
            held.send(Signal.KILL);
        }
        parent.waitFor();
    }
}
