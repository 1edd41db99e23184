package io.migrator.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.linux.PidFd;
import io.migrator.linux.Proc;
import io.migrator.linux.ProcessMemory;
import io.migrator.problem.Problem;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/** With the memory of a real process; the target is a list in this JVM. */
@Timeout(60)
class PostCopyTest {
    private static final int PAGE = PageSet.PAGE_BYTES;
    private static final int SECONDS = 10;
    private static final int QUIET_MILLIS = 100;
    private static final String PROGRAM =
            "a=$(head -c 8000000 /dev/zero | tr '\\0' a); echo $$; read line";

    /** So many pages are late, but for some. */
    private static final int PAGES = 1500;

    private static final Set<Integer> NOT_LATE = Set.of(7, 8, 9, 700);

    /** What follows a page that the job waits for is sent with it. */
    private static final int AHEAD = 16;

    private Process shell;
    private int pid;
    private long start;
    private final JobPages late = new JobPages();
    private PostCopy copy;
    private final ExecutorService beside = Executors.newVirtualThreadPerTaskExecutor();
    private final Pages sink = new Pages();

    /** The numbers of the pages that came, one list for each call. */
    private final class Pages implements PageSink {
        private final BlockingQueue<List<Integer>> calls = new LinkedBlockingQueue<>();
        private volatile Runnable before = () -> {};
        private volatile boolean broken;

        @Override
        public void pages(int of, List<PageRange> places, ByteBuffer bytes) throws Problem {
            if (broken) {
                throw Problem.failed("the line is broken");
            }
            assertEquals(pid, of);
            before.run();
            List<Integer> numbers = new ArrayList<>();
            int from = 0;
            for (PageRange each : places) {
                for (long at = each.start(); at < each.end(); at += PAGE, from += PAGE) {
                    numbers.add((int) ((at - start) / PAGE));
                    assertEquals(numbers.getLast(), bytes.getInt(from));
                }
            }
            assertEquals(bytes.remaining(), from);
            calls.add(numbers);
        }

        @Override
        public void zeros(int of, PageRange place) {
            throw new AssertionError("there are no zeros");
        }

        private List<Integer> all() {
            return calls.stream().flatMap(List::stream).toList();
        }

        private List<Integer> next() throws InterruptedException {
            List<Integer> call = calls.poll(SECONDS, TimeUnit.SECONDS);
            assertNotNull(call, "nothing comes");
            return call;
        }

        private void assertQuiet() throws InterruptedException {
            assertNull(calls.poll(QUIET_MILLIS, TimeUnit.MILLISECONDS));
        }
    }

    @BeforeEach
    void begin() throws Exception {
        // not a child of this JVM, which waits for its own children
        shell =
                new ProcessBuilder("sh", "-c", "exec 3<&0; sh -c \"$0\" <&3 & wait $!", PROGRAM)
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        Proc process = new Proc(Long.parseLong(shell.inputReader().readLine()));
        pid = (int) process.innerPid();
        PageRange area =
                PrivateAreas.of(process).stream()
                        .max(Comparator.comparing(PageRange::bytes))
                        .orElseThrow();
        start = area.start() + PAGE;
        ByteBuffer numbered = ByteBuffer.allocateDirect(PAGES * PAGE);
        for (int page = 0; page < PAGES; page++) {
            numbered.putInt(page * PAGE, page);
            if (!NOT_LATE.contains(page)) {
                late.add(pid, at(page), at(page + 1));
            }
        }
        try (ProcessMemory memory = new ProcessMemory()) {
            memory.write(process.pid(), start, numbered);
        }
        copy = new PostCopy(new HeldTree(PreCopyTest.treeOf(process, "sh")), late);
    }

    @AfterEach
    void end() throws Exception {
        beside.shutdownNow();
        assertTrue(beside.awaitTermination(SECONDS, TimeUnit.SECONDS));
        copy.close();
        shell.outputWriter().close();
        assertTrue(shell.waitFor(SECONDS, TimeUnit.SECONDS));
    }

    private long at(int page) {
        return start + (long) page * PAGE;
    }

    private Future<?> sending() {
        return beside.submit(() -> {
            copy.send(sink, _ -> {});
            return null;
        });
    }

    private static List<Integer> numbers(int from, int to) {
        return IntStream.range(from, to).filter(each -> !NOT_LATE.contains(each)).boxed().toList();
    }

    private void assertAllOnce(List<Integer> sent) {
        assertEquals(numbers(0, PAGES), sent.stream().sorted().toList());
    }

    @Test
    void onlyWhatIsWantedGoesBeforeTheJobRuns() throws Exception {
        Future<?> sending = sending();
        sink.assertQuiet();
        List<Integer> sent = new ArrayList<>();
        copy.wanted(pid, at(300) + 123);
        sent.addAll(sink.next());
        assertEquals(numbers(300, 300 + AHEAD), sent);

        copy.wanted(pid, at(300)); // has gone
        copy.wanted(pid, at(700)); // is not late
        copy.wanted(pid, at(PAGES));
        copy.wanted(pid, at(-1));
        copy.wanted(pid + 1, at(100));
        sink.assertQuiet();

        copy.wanted(pid, at(290));
        assertEquals(numbers(290, 300), sink.next());
        sent.addAll(numbers(290, 300));
        sink.assertQuiet();
        assertFalse(sending.isDone());

        copy.runs();
        sending.get(SECONDS, TimeUnit.SECONDS);
        sent.addAll(sink.all());
        assertAllOnce(sent);
    }

    @Test
    void whatIsWantedGoesBeforeTheRest() throws Exception {
        List<Integer> far = numbers(PAGES - 3, PAGES);
        sink.before =
                () -> {
                    sink.before = () -> {};
                    copy.wanted(pid, at(PAGES - 3));
                    copy.wanted(pid, at(7)); // is not late
                };
        copy.wanted(pid, at(1000));
        copy.runs();
        copy.send(sink, _ -> {});
        List<List<Integer>> calls = List.copyOf(sink.calls);
        assertEquals(numbers(1000, 1000 + AHEAD), calls.get(0));
        assertEquals(far, calls.get(1));
        assertEquals(0, calls.get(2).getFirst());
        assertAllOnce(sink.all());
    }

    @Test
    void progressIsToldToTheEnd() throws Exception {
        List<Long> told = new ArrayList<>();
        copy.runs();
        copy.send(sink, told::add);
        assertEquals(told.stream().sorted().toList(), told);
        assertEquals(late.bytes(), told.getLast());
        assertEquals(late.bytes(), copy.bytes());
    }

    @Test
    void enoughEndsIt() throws Exception {
        sink.before = copy::enough;
        copy.runs();
        copy.send(sink, _ -> {});
        assertEquals(1, sink.calls.size());
        assertTrue(sink.all().size() < PAGES / 2);
    }

    @Test
    void enoughEndsWhatWaits() throws Exception {
        Future<?> sending = sending();
        sink.assertQuiet();
        copy.enough();
        sending.get(SECONDS, TimeUnit.SECONDS);
        sink.assertQuiet();
    }

    @Test
    void allOfItCanBeSentAgain() throws Exception {
        copy.runs();
        copy.send(sink, _ -> {});
        assertAllOnce(sink.all());
        sink.calls.clear();
        copy.wanted(pid, at(1200));
        copy.send(sink, _ -> {});
        assertEquals(1200, sink.all().getFirst());
        assertAllOnce(sink.all());
    }

    @Test
    void allOfItIsSentAgainAfterTheLineBroke() throws Exception {
        sink.before = () -> sink.broken = true;
        copy.runs();
        assertThrows(Problem.class, () -> copy.send(sink, _ -> {}));
        assertEquals(1, sink.calls.size());
        sink.calls.clear();
        sink.before = () -> {};
        sink.broken = false;
        copy.send(sink, _ -> {});
        assertAllOnce(sink.all());
    }

    @Test
    void aSourceThatIsGoneIsAProblem() throws Exception {
        try (PidFd held = PidFd.open(pid)) {
            held.send(PidFd.Signal.KILL);
        }
        shell.waitFor(); // a process that is being killed can still be read
        copy.runs();
        assertThrows(Problem.class, () -> copy.send(sink, _ -> {}));
        sink.assertQuiet();
    }

    /** Before the job runs as well as after. */
    @Test
    void manyMayWantAtOnce() throws Exception {
        Future<?> sending = sending();
        List<Future<?>> wanting = new ArrayList<>();
        for (int each = 0; each < 4; each++) {
            Random random = new Random(each);
            wanting.add(
                    beside.submit(() -> {
                        for (int step = 0; step < 300; step++) {
                            copy.wanted(pid, at(random.nextInt(-10, PAGES + 10)));
                            if (step == 150) {
                                Thread.sleep(random.nextInt(20));
                                copy.runs();
                            }
                        }
                        return null;
                    }));
        }
        for (Future<?> each : wanting) {
            each.get(SECONDS, TimeUnit.SECONDS);
        }
        sending.get(SECONDS, TimeUnit.SECONDS);
        assertAllOnce(sink.all());
    }
}
