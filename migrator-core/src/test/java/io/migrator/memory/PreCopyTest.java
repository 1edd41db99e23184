package io.migrator.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.instance.ProcessTree;
import io.migrator.linux.PageScan;
import io.migrator.linux.PidFd;
import io.migrator.linux.PidFd.Signal;
import io.migrator.linux.Proc;
import io.migrator.linux.ProcessMemory;
import io.migrator.problem.Problem;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;

/** With a real process and the real kernel; the target is a map in this JVM. */
@Timeout(60)
class PreCopyTest {
    private static final int PAGE = PageSet.PAGE_BYTES;
    private static final long PART = 512 << 10;

    /** Does what it is told, a line at a time: large variables are mappings of their own. */
    private static final String PROGRAM =
            "fill() { head -c $1 /dev/zero | tr '\\0' $2; };"
                    + " echo $$; while read line; do eval \"$line\"; echo done; done";

    private static final int STEPS = 25;
    private static final int MOST_BYTES = 3_000_000;

    private Process shell;
    private Writer to;
    private BufferedReader from;
    private Proc process;
    private ProcessTree tree;
    private final StoreSink store = new StoreSink();
    private PreCopy copy;

    @BeforeEach
    void begin() throws Exception {
        // not a child of this JVM, which waits for its own children
        shell =
                new ProcessBuilder("sh", "-c", "exec 3<&0; sh -c \"$0\" <&3 & wait $!", PROGRAM)
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        to = shell.outputWriter();
        from = shell.inputReader();
        process = new Proc(Long.parseLong(from.readLine()));
        tree = treeOf(process, "sh");
        copy = of(Tracking.PROTECT, store);
    }

    /** Of so much memory that it is looked at in parts. */
    static ProcessTree treeOf(Proc process, String name) throws IOException {
        int pid = (int) process.innerPid();
        List<Integer> threads = List.of(pid);
        return new ProcessTree(
                List.of(
                        new ProcessTree.Member(
                                process, pid, 1, pid, name, 0, threads, 8 * PART, 0)));
    }

    static PreCopy of(Tracking tracking, StoreSink store) {
        Pace pace = new Pace(Pace.UNLIMITED, () -> 0);
        return new PreCopy(store, _ -> {}, pace, tracking, PART);
    }

    /** Has another than the usual one. */
    private void track(Tracking tracking) throws Exception {
        copy.close();
        copy = of(tracking, store);
    }

    @AfterEach
    void end() throws Exception {
        copy.close();
        to.close();
        assertEquals(0, shell.waitFor());
    }

    private void tell(String line) throws IOException {
        to.write(line + "\n");
        to.flush();
        assertEquals("done", from.readLine());
    }

    /** All pages that are there and unchanged are in the store as they are in the process. */
    private long unchangedBytes() throws Exception {
        try (PidFd held = PidFd.open(process.pid())) {
            held.send(Signal.STOP);
            try {
                while (process.state() != 'T') {
                    Thread.onSpinWait();
                }
                JobPages found = present();
                int pid = (int) process.innerPid();
                found.at(pid).retainAll(copy.last(Long.MAX_VALUE).sent().of(pid));
                long expected = found.bytes();
                assertEquals(expected, compared(found));
                return expected;
            } finally {
                held.send(Signal.CONT);
            }
        }
    }

    private JobPages present() throws IOException {
        JobPages found = new JobPages();
        int pid = (int) process.innerPid();
        try (PageScan scan = PageScan.of(process)) {
            for (PageRange area : PrivateAreas.of(process)) {
                scan.<RuntimeException>scan(
                        area.start(),
                        area.end(),
                        PageScan.Kind.PRESENT,
                        (start, end) -> found.add(pid, start, end));
            }
        }
        return found;
    }

    private long compared(JobPages pages) throws IOException, Problem {
        long bytes = 0;
        ByteBuffer there = ByteBuffer.allocateDirect(PAGE);
        for (PageRange range : pages.of((int) process.innerPid()).ranges()) {
            for (long at = range.start(); at < range.end(); at += PAGE) {
                read(at, there.clear());
                String where = "%x".formatted(at);
                assertEquals(there, store.get((int) process.innerPid(), at), where);
                bytes += PAGE;
            }
        }
        return bytes;
    }

    private void read(long address, ByteBuffer into) throws Problem {
        try (ProcessMemory memory = new ProcessMemory()) {
            memory.read(process.pid(), address, into);
        } catch (IOException e) {
            throw Problem.failed(e.toString());
        }
    }

    @ParameterizedTest
    @EnumSource(Tracking.class)
    void whatDoesNotChangeGoesOnce(Tracking tracking) throws Exception {
        track(tracking);
        tell("a=$(fill " + MOST_BYTES + " a)");
        copy.watch(tree);
        assertEquals(List.of(), copy.unwatched());
        assertTrue(copy.round().bytes() >= MOST_BYTES);
        assertTrue(copy.round().bytes() < MOST_BYTES / 10);
        tell("b=$(fill " + MOST_BYTES + " b)");
        assertTrue(copy.round().bytes() >= MOST_BYTES);
        copy.round();
        assertTrue(unchangedBytes() >= 2 * MOST_BYTES - 2L * PAGE);
    }

    @Test
    void whatARoundWouldSendIsToldBefore() throws Exception {
        tell("a=$(fill " + MOST_BYTES + " a)");
        copy.watch(tree);
        copy.round();
        assertTrue(copy.keptBytes() >= MOST_BYTES);
        assertTrue(copy.writtenBytes().orElseThrow() < MOST_BYTES / 10);
        tell("b=$(fill " + MOST_BYTES + " b)");
        long written = copy.writtenBytes().orElseThrow();
        assertEquals(written, copy.writtenBytes().orElseThrow(), "it is only looked at");
        assertEquals(written, copy.round().bytes());
        assertTrue(written >= MOST_BYTES);
        tell("a=; a=$(fill " + MOST_BYTES + " c)"); // most likely in the same place
        assertTrue(copy.writtenBytes().orElseThrow() >= MOST_BYTES);
    }

    /** Comparing would tell no sooner than the round. */
    @Test
    void whereItIsComparedTheRoundTells() throws Exception {
        track(Tracking.HASH);
        copy.watch(tree);
        copy.round();
        assertEquals(OptionalLong.empty(), copy.writtenBytes());
    }

    /** So a child sees its parent's memory between vfork and exec. */
    @Test
    void aSecondWatchOverTheSameMemoryTakesNothingFromTheFirst() throws Exception {
        tell("a=$(fill " + MOST_BYTES + " a)");
        copy.watch(tree);
        copy.round();
        copy.round();
        ByteBuffer pages = ByteBuffer.allocateDirect(100 * PAGE);
        long middle = middle();
        try (ProcessMemory memory = new ProcessMemory()) {
            memory.read(process.pid(), middle, pages);
            memory.write(process.pid(), middle, pages);
        }
        try (PreCopy second = of(Tracking.PROTECT, new StoreSink())) {
            second.watch(tree);
            assertTrue(second.round().bytes() >= MOST_BYTES, "it may copy, but not reset");
        }
        assertTrue(copy.round().bytes() >= pages.limit());
    }

    /** Another copy, which does something before it reads. */
    private void before(Runnable each, Tracking tracking) throws Exception {
        Pace pace =
                new Pace(
                        Long.MAX_VALUE - 1,
                        () -> {
                            each.run();
                            return 0;
                        });
        copy.close();
        copy = new PreCopy(store, _ -> {}, pace, tracking, PART);
    }

    /** It is not protected yet, and not sent. */
    @Test
    void whatIsWrittenBeforeItsTurnGoesOnce() throws Exception {
        AtomicReference<Runnable> beforeItIsRead = new AtomicReference<>(() -> {});
        before(() -> beforeItIsRead.getAndSet(() -> {}).run(), Tracking.PROTECT);
        tell("a=$(fill " + 3 * MOST_BYTES + " a)");
        long middle = middle();
        ByteBuffer other = ByteBuffer.allocateDirect(PAGE);
        copy.watch(tree);
        beforeItIsRead.set(() -> write(middle, other));
        copy.round();
        assertEquals(other, store.get((int) process.innerPid(), middle));
        assertEquals(0, copy.writtenBytes().orElseThrow());
    }

    /** What is compared is what was sent last, and not what was there before. */
    @Test
    void whatIsAsItWasOnceIsNotAsItWasSent() throws Exception {
        AtomicReference<Runnable> beforeItIsRead = new AtomicReference<>(() -> {});
        before(() -> beforeItIsRead.get().run(), Tracking.HASH);
        tell("a=$(fill " + MOST_BYTES + " a)");
        long middle = middle();
        ByteBuffer before = ByteBuffer.allocateDirect(PAGE);
        read(middle, before);
        ByteBuffer other = ByteBuffer.allocateDirect(PAGE);
        copy.watch(tree);
        beforeItIsRead.set(() -> write(middle, other));
        copy.round();
        assertEquals(other, store.get((int) process.innerPid(), middle));
        beforeItIsRead.set(() -> {});
        write(middle, before);
        unchangedBytes();
        assertEquals(
                before, store.get((int) process.innerPid(), middle), "the last round sends it");
    }

    /** What was written after the last scan is sent by the last round, in both ways. */
    @ParameterizedTest
    @EnumSource(Tracking.class)
    void theLastRoundSendsWhatIsLeft(Tracking tracking) throws Exception {
        track(tracking);
        tell("a=$(fill " + MOST_BYTES + " a)");
        copy.watch(tree);
        copy.round();
        long middle = middle();
        ByteBuffer other = ByteBuffer.allocateDirect(PAGE);
        write(middle, other);
        copy.freeze();
        unchangedBytes();
        assertEquals(other, store.get((int) process.innerPid(), middle));
    }

    /** A page in the middle of the largest mapping. */
    private long middle() throws IOException {
        PageRange large =
                PrivateAreas.of(process).stream()
                        .max(Comparator.comparing(area -> area.end() - area.start()))
                        .orElseThrow();
        return large.start() + (large.end() - large.start()) / 2 / PAGE * PAGE;
    }

    private void write(long address, ByteBuffer page) {
        try (ProcessMemory memory = new ProcessMemory()) {
            memory.write(process.pid(), address, page);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Maps, unmaps, copies and writes at random between and during rounds. */
    @ParameterizedTest
    @EnumSource(Tracking.class)
    void whatIsSaidToBeUnchangedIs(Tracking tracking) throws Exception {
        track(tracking);
        long seed = System.nanoTime();
        Random random = new Random(seed);
        copy.watch(tree);
        copy.follow();
        for (int step = 0; step < STEPS; step++) {
            char name = (char) ('a' + random.nextInt(5));
            char other = (char) ('a' + random.nextInt(5));
            switch (random.nextInt(4)) {
                case 0 -> tell("unset " + name);
                case 1 -> tell(name + "=$" + other);
                default ->
                        tell(
                                "%c=$(fill %d %c)"
                                        .formatted(
                                                name,
                                                random.nextInt(MOST_BYTES),
                                                'a' + random.nextInt(26)));
            }
            Thread.sleep(random.nextInt(8));
        }
        tell("e=$(fill " + MOST_BYTES + " e)");
        Thread.sleep(100);
        assertTrue(unchangedBytes() > MOST_BYTES / 2, "seed " + seed);
    }
}
