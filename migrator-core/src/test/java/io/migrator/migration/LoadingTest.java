package io.migrator.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.migrator.criu.MemoryMap;
import io.migrator.criu.MemoryMap.Area;
import io.migrator.memory.JobPages;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What of a job's memory comes when the job runs already. */
class LoadingTest {
    private static final long PAGE = 4096;
    private static final int PID = 5;
    private static final int OTHER = 6;

    /** Pages of a block of 2 MB. */
    private static final int BLOCK = 512;

    private static final int QUARTER = BLOCK / 4;

    private static final long READ_ONLY = 1;
    private static final long LOCKED = 0x2000;
    private static final long WIPED_ON_FORK = 1 << 18;

    private final List<Area> areas = new ArrayList<>();
    private final JobPages pages = new JobPages();
    private final JobPages all = new JobPages();
    private final JobPages expected = new JobPages();

    private static Area area(long from, long to) {
        return Area.plain(from * PAGE, to * PAGE);
    }

    private static void add(JobPages to, long from, long end) {
        to.add(PID, from * PAGE, end * PAGE);
    }

    /** Pages that are still to be sent. */
    private void changed(long from, long to) {
        add(pages, from, to);
        add(all, from, to);
    }

    private void assertLate() {
        assertLate(Map.of(PID, new MemoryMap(areas)));
    }

    private void assertLate(Map<Integer, MemoryMap> maps) {
        long before = pages.bytes();
        JobPages late = Loading.late(pages, all, maps);
        assertEquals(0, late.without(expected).bytes(), "not more");
        assertEquals(0, expected.without(late).bytes(), "not less");
        assertEquals(before, pages.bytes(), "they are the caller's");
    }

    @Test
    void theSmallestGoEarly() {
        areas.add(area(0, 100));
        areas.add(area(100, 200));
        areas.add(area(200, 300));
        areas.add(area(300, 400));
        changed(50, 83); // 132 KB
        changed(110, 120);
        changed(250, 272); // 128 KB with the one before
        changed(300, 400);
        add(expected, 50, 83);
        add(expected, 300, 400);
        assertLate();
    }

    /** One whole mapping is late or early. */
    @Test
    void whatDoesNotFitAnyMoreIsLate() {
        areas.add(area(0, 100));
        areas.add(area(100, 200));
        changed(0, 32);
        changed(100, 133);
        add(expected, 100, 133);
        assertLate();
    }

    @Test
    void whatGoesEarlyGoesEarlyOfAllProcessesTogether() {
        for (int pid : new int[] {PID, OTHER}) {
            pages.add(pid, 0, 20 * PAGE);
            all.add(pid, 0, 20 * PAGE);
        }
        MemoryMap map = new MemoryMap(List.of(area(0, 100)));
        JobPages late = Loading.late(pages, all, Map.of(PID, map, OTHER, map));
        assertEquals(20 * PAGE, late.bytes(), "one of them, whichever");
        assertEquals(0, late.without(pages).bytes());
    }

    @Test
    void noMappingThatCannotBeLateIs() {
        Area plain = area(0, 1000);
        long start = plain.end();
        long end = 2 * start;
        areas.add(plain);
        areas.add(new Area(start, end, READ_ONLY, plain.flags(), plain.status()));
        long locked = plain.flags() | LOCKED;
        areas.add(new Area(end, end + start, plain.protection(), locked, plain.status()));
        areas.add(new Area(end + start, 2 * end, plain.protection(), plain.flags(), 1));
        areas.add(
                new Area(
                        2 * end,
                        2 * end + start,
                        plain.protection(),
                        plain.flags(),
                        plain.status(),
                        WIPED_ON_FORK));
        changed(500, 5000);
        add(expected, 500, 1000);
        assertLate();
    }

    /** Nor do small ones among them count for what goes early. */
    @Test
    void noMappingThatCannotBeLateGoesEarlyForAnother() {
        Area plain = area(0, 20);
        areas.add(new Area(0, plain.end(), READ_ONLY, plain.flags(), plain.status()));
        areas.add(area(100, 120));
        areas.add(area(200, 220));
        changed(0, 20);
        changed(100, 112);
        changed(200, 220); // 128 KB with the one before
        assertLate();
    }

    @Test
    void aQuarterOfABlockBringsTheRest() {
        areas.add(area(0, 3 * BLOCK));
        add(all, 10, 3 * BLOCK - 10);
        add(pages, 20, 20 + QUARTER);
        add(pages, BLOCK + 20, BLOCK + 20 + QUARTER - 1);
        add(pages, 2 * BLOCK, 2 * BLOCK + 1);
        add(expected, 10, BLOCK);
        add(expected, BLOCK + 20, BLOCK + 20 + QUARTER - 1);
        add(expected, 2 * BLOCK, 2 * BLOCK + 1);
        assertLate();
    }

    /** Though the block has a quarter only with what lies outside. */
    @Test
    void nothingOutsideOfTheMappingsComesLate() {
        areas.add(area(100, 200));
        areas.add(new Area(200 * PAGE, 300 * PAGE, READ_ONLY, 0x22, area(0, 1).status()));
        areas.add(area(300, 400));
        add(all, 0, BLOCK);
        add(pages, 190, 190 + QUARTER);
        add(expected, 100, 200);
        add(expected, 300, 400);
        assertLate();
    }

    @Test
    void whatHasNoMapIsNotLate() {
        changed(0, 1000);
        all.add(OTHER, 0, 1000 * PAGE);
        pages.add(OTHER, 0, 1000 * PAGE);
        assertLate(Map.of(OTHER + 1, new MemoryMap(List.of(area(0, 1000)))));
    }

    @Test
    void nothingIsLateOfNothing() {
        areas.add(area(0, 1000));
        add(all, 0, 1000);
        assertLate();
    }
}
