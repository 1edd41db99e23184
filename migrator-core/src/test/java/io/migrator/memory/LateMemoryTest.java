package io.migrator.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.linux.Keeper;
import io.migrator.linux.MissingPages;
import io.migrator.problem.Problem;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** With a real program and the real kernel; the source is this test. */
@Timeout(60)
class LateMemoryTest {
    private static final int PAGE = PageSet.PAGE_BYTES;
    private static final int SECONDS = 10;
    private static final int QUIET_MILLIS = 200;
    private static final int PID = 42;

    /** The program has so many pages; of these the first ones are late, the others never were. */
    private static final int PAGES = 20;

    private static final int LATE = 16;

    @TempDir private Path directory;
    private Path images;
    private MissingPages program;
    private Keeper keeper;
    private LateMemory memory;
    private final JobPages late = new JobPages();

    /** Pages that were asked for. */
    private final BlockingQueue<Integer> wanted = new LinkedBlockingQueue<>();

    private final ExecutorService beside = Executors.newVirtualThreadPerTaskExecutor();

    @BeforeEach
    void begin() throws Exception {
        images = Files.createDirectory(directory.resolve("images"));
        program = MissingPages.of(directory, PAGES);
        late.add(PID, at(0), at(LATE));
        keeper = MissingPages.keeper();
        memory = LateMemory.of(images, this::want, keeper);
        memory.expect(late);
    }

    @AfterEach
    void end() throws Exception {
        if (memory != null) {
            memory.giveUp();
            memory.close();
        }
        if (keeper != null) {
            keeper.end();
        }
        if (program != null) {
            program.close();
        }
        beside.shutdownNow();
        assertTrue(beside.awaitTermination(SECONDS, TimeUnit.SECONDS));
    }

    private void want(int pid, long address) {
        assertEquals(PID, pid);
        wanted.add((int) ((address - at(0)) / PAGE));
    }

    private long at(int page) {
        return program.at(page);
    }

    private PageRange range(int from, int to) {
        return new PageRange(at(from), at(to));
    }

    private void adopt() throws IOException {
        memory.adopt(PID, program.memory());
    }

    /** What lies in each page on the source. */
    private static int value(int page) {
        return 100 + page;
    }

    /** Pages come from the source. */
    private void come(int from, int to) throws Exception {
        var bytes = MissingPages.pages(to - from, 0);
        for (int page = from; page < to; page++) {
            bytes.put((page - from) * PAGE, MissingPages.pages(1, value(page)), 0, PAGE);
        }
        memory.pages(PID, range(from, to), bytes);
    }

    private void order(String line) throws IOException {
        program.order(line);
    }

    private void assertAnswers(String line) throws InterruptedException {
        assertEquals(line, program.answer());
    }

    private void obey(String line, String answer) throws Exception {
        order(line);
        assertAnswers(answer);
    }

    /** It has a page without waiting for it. */
    private void assertReads(String who, int page, int value) throws Exception {
        obey(who + "read " + page, who.replace("@", "").replace(" ", ": ") + value);
    }

    private void assertReads(int page, int value) throws Exception {
        assertReads("", page, value);
    }

    private void assertWanted(int page) throws InterruptedException {
        assertEquals(page, wanted.poll(SECONDS, TimeUnit.SECONDS));
    }

    private void assertNothingWanted() throws InterruptedException {
        assertNull(wanted.poll(QUIET_MILLIS, TimeUnit.MILLISECONDS));
    }

    private Future<?> beside(Callable<Object> what) {
        return beside.submit(what);
    }

    /** Another one goes on, as after the end of this JVM. */
    private void goOn() throws Exception {
        Keeper fresh = MissingPages.keeper();
        try {
            memory = LateMemory.goOn(late, images, this::want, fresh);
        } catch (IOException e) {
            fresh.end();
            throw e;
        }
        keeper.end();
        keeper = fresh;
    }

    /** All that was late is there, also when nobody holds anything any more. */
    private void complete() throws Exception {
        memory.orIncomplete();
        memory.close();
        keeper.end();
    }

    @Test
    void aPageIsAskedForOnceAndAwaited() throws Exception {
        adopt();
        order("thread 3");
        order("thread 3");
        assertWanted(3);
        obey("spawn", "spawned");
        order("@0 read 3");
        order("thread 5");
        assertWanted(5);
        assertNothingWanted();
        program.assertQuiet();
        come(3, 4);
        List<String> three = List.of(program.answer(), program.answer(), program.answer());
        assertEquals(
                List.of("0: 103", "thread 103", "thread 103"), three.stream().sorted().toList());
        program.assertQuiet();
        come(5, 6);
        assertAnswers("thread 105");
        assertNothingWanted();
    }

    @Test
    void aPageThatIsNotLateIsZeros() throws Exception {
        adopt();
        assertReads(LATE, 0);
        obey("write " + (LATE + 1) + " 9", "written");
        assertReads(LATE + 1, 9);
        assertNothingWanted();
        come(0, PAGES); // the source never has these
        assertReads(LATE, 0);
        assertReads(LATE + 1, 9);
        assertReads(LATE + 2, 0);
        complete();
    }

    @Test
    void whatComesBeforeItIsTouchedIsThere() throws Exception {
        adopt();
        come(0, 4);
        memory.zeros(PID, range(4, 6));
        come(3, 8); // once more in part
        assertReads(0, 100);
        assertReads(3, 103);
        assertReads(4, 0);
        assertReads(7, 107);
        assertNothingWanted();
    }

    @Test
    void whatComesBeforeItsProcessWaitsForIt() throws Exception {
        Future<?> filling =
                beside(() -> {
                    come(0, LATE);
                    return null;
                });
        assertThrows(
                TimeoutException.class, () -> filling.get(QUIET_MILLIS, TimeUnit.MILLISECONDS));
        adopt();
        memory.awaitAll(Set.of(PID), Duration.ofSeconds(SECONDS));
        filling.get(SECONDS, TimeUnit.SECONDS);
        assertReads(2, 102);
        assertNothingWanted();
        complete();
    }

    @Test
    void whatComesForAProcessThatNeverIsIsLetGo() throws Exception {
        Future<?> filling =
                beside(() -> {
                    come(0, LATE);
                    return null;
                });
        assertThrows(Problem.class, () -> memory.awaitAll(Set.of(PID), Duration.ofMillis(50)));
        assertFalse(filling.isDone());
        memory.giveUp();
        filling.get(SECONDS, TimeUnit.SECONDS);
        program.memory().close();
    }

    @Test
    void aChildGetsWhatItsParentLacks() throws Exception {
        adopt();
        come(0, 2);
        obey("spawn", "spawned");
        assertReads("@0 ", 1, 101);
        assertNothingWanted();
        order("@0 read 4");
        assertWanted(4);
        come(2, 6);
        assertAnswers("0: 104");
        assertReads(4, 104);
        assertReads(5, 105);
        obey("write 5 1", "written");
        assertReads("@0 ", 5, 105);
        come(2, LATE);
        assertReads("@0 ", 5, 105);
        assertReads(5, 1);
        assertReads("@0 ", LATE - 1, 100 + LATE - 1);
        assertReads("@0 ", LATE, 0);
        assertNothingWanted();
        complete();
    }

    @Test
    void whatIsMovedComesWhereItIs() throws Exception {
        adopt();
        int aside = program.aside();
        obey("move 4 4", "moved");
        order("read " + (aside + 1));
        assertWanted(5);
        come(4, 6);
        assertAnswers("105");
        assertReads(aside, 104);
        obey("move " + (aside + 1) + " 2 10", "moved"); // in place of others
        assertReads(10, 105);
        order("read 11");
        assertWanted(6);
        come(0, LATE);
        assertAnswers("106");
        assertReads(aside + 3, 107);
        assertReads(12, 112);
        assertReads(9, 109);
        assertNothingWanted();
        complete();
    }

    /** Of what is cut off nothing comes where other memory lies now. */
    @Test
    void whatIsMovedMayBeCutOffOrGrow() throws Exception {
        adopt();
        obey("move 0 4 8 2", "moved");
        obey("unmap 14 6", "unmapped");
        obey("grow 12 2 4", "grown");
        come(0, LATE);
        assertReads(8, 100);
        assertReads(9, 101);
        assertReads(10, 110);
        assertReads(11, 111);
        assertReads(13, 113);
        assertReads(14, 0);
        assertReads(15, 0);
        assertNothingWanted();
        complete();
    }

    /** As with MREMAP_DONTUNMAP. */
    @Test
    void whatIsMovedMayLeaveZerosBehind() throws Exception {
        adopt();
        order("thread 3");
        assertWanted(3);
        obey("leave 2 4", "left");
        assertAnswers("thread 0");
        come(0, LATE);
        assertReads(program.aside() + 1, 103);
        assertReads(2, 0);
        assertReads(3, 0);
        assertNothingWanted();
        complete();
    }

    @Test
    void whatIsEmptiedDoesNotCome() throws Exception {
        adopt();
        come(0, 2);
        obey("empty 1 2", "emptied");
        come(0, LATE);
        assertReads(0, 100);
        assertReads(1, 0);
        assertReads(2, 0);
        assertReads(3, 103);
        assertNothingWanted();
        complete();
        assertReads(1, 0);
    }

    /** As it waits for a page another thread gives that back: it does not come any more. */
    @Test
    void whoWaitsForAPageThatIsEmptiedGoesOn() throws Exception {
        adopt();
        order("thread 3");
        assertWanted(3);
        obey("empty 2 3", "emptied");
        assertAnswers("thread 0");
        come(0, LATE);
        assertReads(3, 0);
        complete();
    }

    @Test
    void whatIsUnmappedDoesNotCome() throws Exception {
        adopt();
        obey("unmap 8 3", "unmapped");
        come(8, 11);
        assertThrows(Problem.class, memory::orIncomplete);
        come(0, LATE);
        assertReads(7, 107);
        assertReads(11, 111);
        complete();
    }

    @Test
    void aProcessMayEnd() throws Exception {
        adopt();
        obey("spawn", "spawned");
        order("@0 read 3");
        assertWanted(3);
        program.kill();
        come(2, 4);
        memory.zeros(PID, range(4, 6));
        awaitWhole();
        complete();
    }

    /** Whoever looks at a process in /proc lets its memory outlive it for a moment. */
    private void awaitWhole() throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        while (true) {
            try {
                memory.orIncomplete();
                return;
            } catch (Problem e) {
                if (System.nanoTime() > end) {
                    throw e;
                }
                Thread.sleep(QUIET_MILLIS);
            }
        }
    }

    @Test
    void aChildMayEnd() throws Exception {
        adopt();
        order("fork 3");
        assertWanted(3);
        come(3, 4);
        assertAnswers("child 103");
        assertAnswers("forked");
        come(0, LATE);
        assertReads(9, 109);
        complete();
    }

    @Test
    void itIsSaidHowMuchIsMissing() throws Exception {
        adopt();
        come(0, 1);
        come(4, 6);
        Problem problem = assertThrows(Problem.class, memory::orIncomplete);
        assertEquals((LATE - 3) * PAGE + " bytes are missing", problem.because());
        obey("spawn", "spawned");
        obey("unmap 7 1", "unmapped");
        problem = assertThrows(Problem.class, memory::orIncomplete);
        assertEquals((2 * (LATE - 3) - 1) * PAGE + " bytes are missing", problem.because());
        come(0, LATE);
        complete();
    }

    @Test
    void anotherGoesOn() throws Exception {
        adopt();
        int aside = program.aside();
        come(0, 4);
        obey("empty 1 1", "emptied"); // has come
        obey("empty 5 1", "emptied"); // has not
        obey("write 2 7", "written");
        obey("move 3 4", "moved");
        obey("spawn", "spawned");
        order("@0 read 8");
        assertWanted(8);
        order("thread 9");
        assertWanted(9);
        memory.close();
        order("thread 10"); // nobody reads that
        program.assertQuiet();

        goOn();
        List<Integer> three =
                List.of(
                        wanted.poll(SECONDS, TimeUnit.SECONDS),
                        wanted.poll(SECONDS, TimeUnit.SECONDS),
                        wanted.poll(SECONDS, TimeUnit.SECONDS));
        assertEquals(List.of(8, 9, 10), three.stream().sorted().toList());
        program.assertQuiet();
        come(0, LATE);
        List<String> answers = List.of(program.answer(), program.answer(), program.answer());
        assertEquals(
                List.of("0: 108", "thread 109", "thread 110"), answers.stream().sorted().toList());
        for (String who : List.of("", "@0 ")) {
            assertReads(who, 0, 100);
            assertReads(who, 1, 0);
            assertReads(who, 2, 7);
            assertReads(who, aside, 103);
            assertReads(who, aside + 1, 104);
            assertReads(who, aside + 2, 0);
            assertReads(who, aside + 3, 106);
            assertReads(who, 7, 107);
            assertReads(who, LATE, 0);
        }
        assertNothingWanted();
        complete();
    }

    /** It stands still in what would change its memory until somebody notes that. */
    @Test
    void nothingHappensWhileNobodyGoesOn() throws Exception {
        adopt();
        come(0, 2);
        memory.close();
        order("empty 0 4");
        program.assertQuiet();
        goOn();
        assertAnswers("emptied");
        memory.close();
        order("spawn");
        program.assertQuiet();
        goOn();
        assertAnswers("spawned");
        come(0, LATE);
        for (String who : List.of("", "@0 ")) {
            assertReads(who, 0, 0);
            assertReads(who, 3, 0);
            assertReads(who, 4, 104);
        }
        complete();
    }

    /** That one took all over which the first had. */
    @Test
    void anotherGoesOnTwice() throws Exception {
        adopt();
        obey("spawn", "spawned");
        memory.close();
        goOn();
        come(0, 4);
        obey("@0 empty 0 1", "0: emptied");
        obey("@0 spawn", "0: spawned");
        memory.close();
        goOn();
        come(0, LATE);
        assertReads(0, 100);
        assertReads("@0 ", 0, 0);
        obey("@0 @0 read 0", "0: 0: 0");
        obey("@0 @0 read 1", "0: 0: 101");
        complete();
    }

    @Test
    void withoutTheKeeperNobodyGoesOn() throws Exception {
        adopt();
        come(0, 1);
        memory.close();
        keeper.end();
        assertThrows(IOException.class, this::goOn);
    }

    /** Whoever tries after that still finds all where it is. */
    @Test
    void whoCannotTakeAllTakesNothing() throws Exception {
        adopt();
        obey("spawn", "spawned");
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        while (LateLog.read(images, late).size() < 2) { // the fork is told before it is noted
            assertTrue(System.nanoTime() < end, "the child is not noted");
            Thread.sleep(10);
        }
        List<LateLog.Logged> before = LateLog.read(images, late);
        keeper.drop(before.get(1).held());
        memory.close();
        assertThrows(IOException.class, this::goOn);
        assertTrue(LateLog.read(images, late).getFirst().isKept());
    }

    /** It is noticed at the next fork, or soon. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aDeadKeeperIsReplaced(boolean forks) throws Exception {
        adopt();
        obey("empty 0 1", "emptied");
        keeper.end();
        if (forks) {
            obey("spawn", "spawned");
        }
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        while (!LateLog.read(images, late).stream().allMatch(LateLog.Logged::isKept)) {
            assertTrue(System.nanoTime() < end, "no other keeper");
            Thread.sleep(10);
        }
        LateLog.Logged last = LateLog.read(images, late).getLast();
        assertEquals((LATE - 1) * (long) PageSet.PAGE_BYTES, last.lacks().bytes());
        come(0, LATE);
        memory.orIncomplete();
        memory.end();
        for (LateMemory.Keeping each : LateMemory.keepersIn(images)) {
            assertFalse(ProcessHandle.of(each.pid()).isPresent(), each::toString);
        }
    }
}
