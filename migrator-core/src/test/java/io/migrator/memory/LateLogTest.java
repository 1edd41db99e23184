package io.migrator.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.linux.Proc;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

class LateLogTest {
    private static final int PAGE = PageSet.PAGE_BYTES;
    private static final int PID = 42;

    @TempDir Path directory;
    private final JobPages late = new JobPages();
    private LateLog log;

    @BeforeEach
    void open() throws IOException {
        late.add(PID, 0, 8 * PAGE);
        log = LateLog.in(directory);
        log.hold(0, PID, 0, Proc.self(), 7);
    }

    private List<LateLog.Logged> read() throws IOException {
        return LateLog.read(directory, late);
    }

    @Test
    void whatIsGoneDoesNotCome() throws IOException {
        log.drop(0, new PageRange(2 * PAGE, 4 * PAGE));
        LateLog.Logged space = read().getFirst();
        assertEquals(
                List.of(new PageRange(0, 2 * PAGE), new PageRange(4 * PAGE, 8 * PAGE)),
                space.lacks().ranges());
        assertEquals(PID, space.pid());
        assertEquals(7, space.held());
        assertTrue(space.isKept());
    }

    /** A child has its parent's memory as it was at the fork, and its own since. */
    @Test
    void aChildGoesItsOwnWay() throws IOException {
        log.drop(0, new PageRange(0, PAGE));
        log.move(0, PAGE, 100 * PAGE, PAGE);
        log.hold(1, PID, 0, Proc.self(), 8);
        log.drop(0, new PageRange(2 * PAGE, 3 * PAGE));
        log.move(0, 3 * PAGE, 103 * PAGE, PAGE);
        log.drop(1, new PageRange(5 * PAGE, 6 * PAGE));
        LateLog.Logged parent = read().get(0);
        LateLog.Logged child = read().get(1);
        assertEquals(
                List.of(new PageRange(PAGE, 2 * PAGE), new PageRange(3 * PAGE, 8 * PAGE)),
                parent.lacks().ranges());
        assertEquals(
                List.of(new PageRange(PAGE, 5 * PAGE), new PageRange(6 * PAGE, 8 * PAGE)),
                child.lacks().ranges());
        assertEquals(100 * PAGE, child.moves().now(PAGE));
        assertEquals(3 * PAGE, child.moves().now(3 * PAGE));
        assertEquals(103 * PAGE, parent.moves().now(3 * PAGE));
    }

    @Test
    void anotherKeeperTakesOver() throws IOException {
        log.drop(0, new PageRange(0, PAGE));
        log.hold(0, PID, 0, Proc.self(), 11);
        LateLog.Logged space = read().getFirst();
        assertEquals(11, space.held());
        assertEquals(List.of(new PageRange(PAGE, 8 * PAGE)), space.lacks().ranges());
    }

    @Test
    void aKeeperThatIsGoneIsKnown() throws IOException {
        LateLog.Logged space = read().getFirst();
        assertFalse(
                new LateLog.Logged(
                                0,
                                PID,
                                space.lacks(),
                                space.moves(),
                                space.keeper(),
                                space.keeperStart() - 1,
                                7)
                        .isKept());
    }

    @Test
    void aLogThatIsNoneIsRefused() throws IOException {
        for (String line :
                List.of("hold 1 2", "drop 0 x 4096", "move 9 0 4096 4096", "keep 0 0 0")) {
            Path copy = Files.createDirectory(directory.resolve(line.replace(' ', '-')));
            Files.copy(directory.resolve("late.log"), copy.resolve("late.log"));
            Files.writeString(copy.resolve("late.log"), line + "\n", StandardOpenOption.APPEND);
            assertThrows(IOException.class, () -> LateLog.read(copy, late), line);
        }
    }
}
