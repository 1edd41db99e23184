package io.migrator.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.linux.Keeper;
import io.migrator.linux.MissingPages;

import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.IntStream;

/**
 * A program and its children read, write, move, empty and unmap pages at random while these come in
 * any order, and others go on with it: all that is read is what must be there.
 */
class LateMemoryAtRandomTest {
    private static final int PAGE = PageSet.PAGE_BYTES;
    private static final int PID = 42;
    private static final int PAGES = 48;
    private static final int STEPS = 400;
    private static final int MOST_CHILDREN = 5;
    private static final int MOST_AT_ONCE = 5;
    private static final Duration LONGEST = Duration.ofSeconds(10);

    @TempDir private Path directory;
    private Random random;
    private MissingPages program;
    private Keeper keeper;
    private LateMemory memory;
    private final JobPages late = new JobPages();
    private final int[] source = new int[PAGES];
    private final List<Mapped> processes = new ArrayList<>();
    private final BlockingQueue<Integer> wanted = new LinkedBlockingQueue<>();

    /**
     * What a process has.
     *
     * @param orders before each of its orders
     * @param values by the numbers of its pages
     * @param unmoved those that lie in one mapping where they lie side by side
     */
    private record Mapped(String orders, Map<Integer, Integer> values, Set<Integer> unmoved) {
        private String answers() {
            return orders.replace("@", "").replace(" ", ": ");
        }
    }

    @RepeatedTest(3)
    @Timeout(60)
    void whatIsReadIsWhatMustBeThere() throws Exception {
        long seed = System.nanoTime();
        random = new Random(seed);
        try {
            begin();
            for (int step = 0; step < STEPS; step++) {
                if (step % (STEPS / 3) == STEPS / 4) {
                    goOn();
                }
                step();
            }
            end();
        } catch (Exception | AssertionError e) {
            throw new AssertionError("seed " + seed, e);
        } finally {
            if (program != null) {
                program.close();
            }
            if (memory != null) {
                memory.close();
            }
            if (keeper != null) {
                keeper.end();
            }
        }
    }

    private void begin() throws Exception {
        program = MissingPages.of(directory, PAGES);
        Map<Integer, Integer> values = new TreeMap<>();
        for (int page = 0; page < PAGES; page++) {
            int kind = random.nextInt(8); // of zeros or not there at all some
            source[page] = kind < 2 ? 0 : 1 + random.nextInt(250);
            if (kind > 0) {
                late.add(PID, program.at(page), program.at(page + 1));
            }
            values.put(page, source[page]);
        }
        processes.add(new Mapped("", values, new HashSet<>(values.keySet())));
        keeper = MissingPages.keeper();
        Path images = Files.createDirectory(directory.resolve("images"));
        memory = LateMemory.of(images, this::want, keeper);
        memory.expect(late);
        memory.adopt(PID, program.memory());
    }

    private void want(int pid, long address) {
        assertEquals(PID, pid);
        wanted.add((int) ((address - program.at(0)) / PAGE));
    }

    private void step() throws Exception {
        Mapped who = processes.get(random.nextInt(processes.size()));
        if (who.values.isEmpty()) {
            return;
        }
        List<Integer> pages = List.copyOf(who.values.keySet());
        int page = pages.get(random.nextInt(pages.size()));
        switch (random.nextInt(16)) {
            case 0 -> fork(who);
            case 1, 2, 3 -> move(who, page);
            case 4 -> empty(who, page);
            case 5 -> unmap(who, page);
            case 6, 7 -> write(who, page);
            case 8 -> come();
            default -> read(who, page);
        }
    }

    private void fork(Mapped who) throws Exception {
        if (processes.size() > MOST_CHILDREN) {
            return;
        }
        long children =
                processes.stream()
                        .map(Mapped::orders)
                        .filter(each -> each.startsWith(who.orders))
                        .filter(each -> each.length() == who.orders.length() + "@0 ".length())
                        .count();
        obey(who, "spawn", "spawned");
        processes.add(
                new Mapped(
                        who.orders + "@" + children + " ",
                        new TreeMap<>(who.values),
                        new HashSet<>(who.unmoved)));
    }

    /** So many pages from one on may be moved at once. */
    private int together(Mapped who, int page) {
        int count = 1;
        while (who.unmoved.contains(page)
                && who.unmoved.contains(page + count)
                && count < MOST_AT_ONCE
                && random.nextBoolean()) {
            count++;
        }
        return count;
    }

    /** Aside or back, to where something is or not. */
    private void move(Mapped who, int page) throws Exception {
        int count = together(who, page);
        int to = random.nextInt(PAGES - count) + (random.nextBoolean() ? program.aside() : 0);
        if (Math.abs(page - to) < count) {
            return;
        }
        obey(who, "move " + page + " " + count + " " + to, "moved");
        for (int each = 0; each < count; each++) {
            who.values.put(to + each, who.values.remove(page + each));
            who.unmoved.remove(page + each);
            who.unmoved.remove(to + each);
        }
    }

    private int mapped(Mapped who, int page) {
        int count = 1;
        while (who.values.containsKey(page + count) && count < MOST_AT_ONCE) {
            count++;
        }
        return 1 + random.nextInt(count);
    }

    private void empty(Mapped who, int page) throws Exception {
        int count = mapped(who, page);
        obey(who, "empty " + page + " " + count, "emptied");
        IntStream.range(page, page + count).forEach(each -> who.values.put(each, 0));
    }

    private void unmap(Mapped who, int page) throws Exception {
        int count = mapped(who, page);
        obey(who, "unmap " + page + " " + count, "unmapped");
        for (int each = page; each < page + count; each++) {
            who.values.remove(each);
            who.unmoved.remove(each);
        }
    }

    private void write(Mapped who, int page) throws Exception {
        int value = 1 + random.nextInt(250);
        obey(who, "write " + page + " " + value, "written");
        who.values.put(page, value);
    }

    private void read(Mapped who, int page) throws Exception {
        obey(who, "read " + page, "" + who.values.get(page));
    }

    private void obey(Mapped who, String order, String answer) throws Exception {
        program.order(who.orders + order);
        if (random.nextInt(20) == 0) {
            goOn(); // perhaps it waits for a page that was asked for
        }
        String what = who.orders + order;
        assertEquals(who.answers() + answer, answer(what), what);
    }

    /** Brings what is asked for, and other pages as well. */
    private String answer(String order) throws Exception {
        long end = System.nanoTime() + LONGEST.toNanos();
        while (System.nanoTime() < end) {
            String answer = program.answerNow();
            if (answer != null) {
                return answer;
            }
            Integer page = wanted.poll();
            if (page != null) {
                come(page, page + 1);
            } else if (random.nextInt(50) == 0) {
                come();
            }
            Thread.sleep(0, 200_000);
        }
        throw new AssertionError("no answer to " + order);
    }

    private void come() throws Exception {
        int from = random.nextInt(PAGES);
        come(from, Math.min(PAGES, from + 1 + random.nextInt(3)));
    }

    private void come(int from, int to) throws Exception {
        ByteBuffer bytes = MissingPages.pages(to - from, 0);
        boolean zeros = true;
        for (int page = from; page < to; page++) {
            zeros &= source[page] == 0;
            bytes.put((page - from) * PAGE, MissingPages.pages(1, source[page]), 0, PAGE);
        }
        PageRange place = new PageRange(program.at(from), program.at(to));
        if (zeros) {
            memory.zeros(PID, place);
        } else {
            memory.pages(PID, place, bytes);
        }
    }

    private void goOn() throws Exception {
        memory.close();
        Keeper fresh = MissingPages.keeper();
        memory = LateMemory.goOn(late, directory.resolve("images"), this::want, fresh);
        keeper.end();
        keeper = fresh;
    }

    private void end() throws Exception {
        for (int page = 0; page < PAGES; page++) {
            come(page, page + 1);
        }
        memory.orIncomplete();
        memory.close();
        keeper.end();
        Map<String, Map<Integer, Integer>> found = new HashMap<>();
        Map<String, Map<Integer, Integer>> expected = new HashMap<>();
        for (Mapped who : processes) {
            expected.put(who.orders, who.values);
            Map<Integer, Integer> values = new TreeMap<>();
            for (int page : who.values.keySet()) {
                program.order(who.orders + "read " + page);
                String answer = program.answer();
                assertTrue(answer.startsWith(who.answers()), answer);
                values.put(page, Integer.parseInt(answer.substring(who.answers().length())));
            }
            found.put(who.orders, values);
        }
        assertEquals(expected, found);
    }
}
