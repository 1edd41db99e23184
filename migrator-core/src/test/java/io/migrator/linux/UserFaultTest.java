package io.migrator.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.linux.UserFault.Event;
import io.migrator.linux.UserFault.Fault;
import io.migrator.linux.UserFault.Filled;
import io.migrator.linux.UserFault.Forked;
import io.migrator.linux.UserFault.Moved;
import io.migrator.linux.UserFault.Outcome;
import io.migrator.linux.UserFault.Removed;
import io.migrator.linux.UserFault.Unmapped;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** The memory of a program that does what it is told (missing-pages.py). */
@Timeout(60)
class UserFaultTest {
    private static final int PAGE = 4096;
    private static final int PAGES = 16;
    private static final int MILLIS = 5000;

    @TempDir private Path directory;
    private MissingPages program;
    private UserFault memory;
    private long aside;

    @BeforeEach
    void begin() throws Exception {
        program = MissingPages.of(directory, PAGES);
        memory = program.memory();
        aside = program.at(program.aside());
    }

    @AfterEach
    void finish() throws Exception {
        if (program != null) {
            program.close();
        }
        if (memory != null) {
            memory.close();
        }
    }

    private void order(String line) throws IOException {
        program.order(line);
    }

    private String answer() throws InterruptedException {
        return program.answer();
    }

    private void assertQuiet() throws InterruptedException {
        program.assertQuiet();
    }

    private Event event(UserFault of) throws IOException {
        assertTrue(UserFault.awaitAny(List.of(of), MILLIS), "no event");
        return of.next().orElseThrow();
    }

    private long at(int page) {
        return program.at(page);
    }

    private static ByteBuffer pages(int count, int value) {
        return MissingPages.pages(count, value);
    }

    private static Filled done(int pages) {
        return new Filled((long) pages * PAGE, Outcome.DONE);
    }

    @Test
    void pagesAreGiven() throws Exception {
        assertEquals(Optional.empty(), memory.next());
        assertFalse(UserFault.awaitAny(List.of(memory), 0));
        order("read 3");
        assertEquals(new Fault(at(3)), event(memory));
        ByteBuffer two = pages(2, 7);
        assertEquals(done(2), memory.copy(at(3), two));
        assertEquals(2 * PAGE, two.remaining());
        assertEquals("7", answer());
        order("read 4");
        assertEquals("7", answer());
        order("read 5");
        assertEquals(new Fault(at(5)), event(memory));
        assertEquals(done(3), memory.zero(at(5), 3 * PAGE));
        assertEquals("0", answer());
        assertEquals(Optional.empty(), memory.next());
    }

    @Test
    void whatIsThereStays() throws Exception {
        assertEquals(done(1), memory.copy(at(2), pages(1, 1)));
        Filled before = new Filled(2 * PAGE, Outcome.THERE);
        assertEquals(before, memory.copy(at(0), pages(4, 2)));
        assertEquals(new Filled(0, Outcome.THERE), memory.zero(at(2), PAGE));
        order("read 2");
        assertEquals("1", answer());
        order("read 1");
        assertEquals("2", answer());
    }

    @Test
    void aChildLacksThePagesToo() throws Exception {
        order("fork 1");
        assertQuiet();
        assertEquals(new Filled(0, Outcome.CHANGING), memory.copy(at(1), pages(1, 1)));
        try (UserFault child = assertInstanceOf(Forked.class, event(memory)).child()) {
            assertEquals(new Fault(at(1)), event(child));
            assertEquals(done(1), memory.copy(at(1), pages(1, 1)));
            assertQuiet();
            assertEquals(done(1), child.copy(at(1), pages(1, 2)));
            assertEquals("child 2", answer());
            assertEquals("forked", answer());
            assertEquals(new Filled(0, Outcome.GONE), child.copy(at(2), pages(1, 2)));
        }
        order("read 1");
        assertEquals("1", answer());
    }

    @Test
    void movedPagesAreMissedWhereTheyAre() throws Exception {
        order("move 4 2");
        assertEquals(new Moved(at(4), aside, 2 * PAGE), event(memory));
        assertEquals(new Unmapped(at(4), at(6)), event(memory));
        assertEquals("moved", answer());
        assertEquals(new Filled(0, Outcome.UNMAPPED), memory.copy(at(4), pages(2, 1)));
        order("moved 1");
        assertEquals(new Fault(aside + PAGE), event(memory));
        assertEquals(done(1), memory.copy(aside + PAGE, pages(1, 5)));
        assertEquals("5", answer());
    }

    @Test
    void whatIsRemovedIsTold() throws Exception {
        assertEquals(done(2), memory.copy(at(0), pages(2, 1)));
        order("empty 0 2");
        assertEquals(new Removed(at(0), at(2)), event(memory));
        assertEquals("emptied", answer());
        order("read 1");
        assertEquals(new Fault(at(1)), event(memory));
        assertEquals(done(1), memory.zero(at(1), PAGE));
        assertEquals("0", answer());
        order("unmap 8 3");
        assertEquals(new Unmapped(at(8), at(11)), event(memory));
        assertEquals("unmapped", answer());
        assertEquals(new Filled(2 * PAGE, Outcome.UNMAPPED), memory.copy(at(6), pages(8, 1)));
        assertEquals(new Filled(0, Outcome.UNMAPPED), memory.zero(at(10), PAGE));
        assertEquals(done(1), memory.zero(at(11), PAGE));
    }

    @Test
    void severalMappingsAreFilledAsOne() throws Exception {
        order("protect 5 3");
        assertEquals("protected", answer());
        assertEquals(done(PAGES), memory.copy(at(0), pages(PAGES, 9)));
        for (int page : new int[] {0, 5, 8, PAGES - 1}) {
            order("read " + page);
            assertEquals("9", answer());
        }
    }

    @Test
    void anEndedProcessTakesNoPages() throws Exception {
        program.kill();
        assertEquals(new Filled(0, Outcome.GONE), memory.copy(at(0), pages(1, 1)));
        assertEquals(new Filled(0, Outcome.GONE), memory.zero(at(0), PAGE));
        memory.wake(at(0), PAGE);
        assertEquals(Optional.empty(), memory.next());
    }

    @Test
    void halfPagesAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> memory.zero(at(0) + 1, PAGE));
        assertThrows(IllegalArgumentException.class, () -> memory.zero(at(0), PAGE / 2));
    }

    @Test
    void theKeeperHoldsWhatNobodyElseDoes() throws Exception {
        Keeper keeper = MissingPages.keeper();
        try {
            int number = keeper.hold(memory);
            int second = keeper.hold(memory);
            keeper.drop(second);
            assertThrows(IOException.class, () -> keeper.drop(second));
            assertThrows(IOException.class, () -> keeper.drop(1));
            order("read 3");
            assertEquals(new Fault(at(3)), event(memory));
            memory.close();
            assertQuiet();

            memory = Keeper.taken(keeper.pid(), number);
            assertThrows(IOException.class, () -> Keeper.taken(keeper.pid(), 1));
            assertEquals(Optional.empty(), memory.next());
            memory.wake(at(0), PAGES * PAGE);
            assertEquals(new Fault(at(3)), event(memory));
            assertEquals(done(1), memory.copy(at(3), pages(1, 3)));
            assertEquals("3", answer());

            order("read 4");
            memory.close();
            assertQuiet();
        } finally {
            keeper.end();
            memory = null;
        }
        assertEquals("0", answer());
        order("read 5");
        assertEquals("0", answer());
    }

    @Test
    void aDeadKeeperHoldsNothing() throws Exception {
        Keeper keeper = MissingPages.keeper();
        try (PidFd held = PidFd.open(keeper.pid())) {
            held.send(PidFd.Signal.KILL);
            while (held.exists()) {
                Thread.sleep(10);
            }
        }
        assertThrows(IOException.class, () -> keeper.hold(memory));
        keeper.end();
        keeper.close();
    }

    /** As it is after a JVM's end; who takes over lets it go then. */
    @Test
    void theKeeperOutlivesWhoStartedIt() throws Exception {
        int number;
        long pid;
        try (Keeper keeper = MissingPages.keeper()) {
            pid = keeper.pid();
            number = keeper.hold(memory);
        }
        try {
            memory.close();
            order("read 3");
            assertQuiet();
            assertEquals(
                    List.of("/dev/null", "/dev/null", "/dev/null", "anon_inode:[userfaultfd]"),
                    List.copyOf(new Proc(pid).descriptors().values()));
            memory = Keeper.taken(pid, number);
            assertEquals(new Fault(at(3)), event(memory));
            assertEquals(done(1), memory.copy(at(3), pages(1, 3)));
            assertEquals("3", answer());
        } finally {
            try (PidFd held = PidFd.open(pid)) {
                held.send(PidFd.Signal.TERM);
            }
        }
        assertTrue(
                ProcessHandle.of(pid)
                        .map(each -> each.onExit().orTimeout(MILLIS, TimeUnit.MILLISECONDS).join())
                        .map(each -> !each.isAlive())
                        .orElse(true));
    }
}
