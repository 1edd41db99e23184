package io.migrator.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.criu.MemoryMap;
import io.migrator.criu.MemoryMap.Area;
import io.migrator.linux.FifoWriter;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What criufill is told, written to a file in the place of its FIFO. */
class KeptPagesTest {
    private static final long PAGE = 4096;
    private static final long HALF = 1 << 20;
    private static final long HUGE = 2 * HALF;
    private static final long HEAP = 0x55d0_1234_5000L;
    private static final long MAPPED = 0x7f00_0000_0000L;

    @TempDir private Path directory;
    private Path told;
    private KeptPages kept;

    private record Told(char what, long a, long b, long c, long d) {}

    @BeforeEach
    void open() throws IOException {
        told = Files.createFile(directory.resolve("orders"));
        kept = new KeptPages(() -> FifoWriter.open(told).orElseThrow());
    }

    private void put(long address, long bytes) throws Exception {
        assertTrue(kept.put(7, address, ByteBuffer.allocateDirect((int) bytes)));
    }

    private List<Told> told() throws IOException {
        List<Told> found = new ArrayList<>();
        ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(told)).order(ByteOrder.nativeOrder());
        while (in.hasRemaining()) {
            Told next =
                    new Told(
                            (char) in.getLong(),
                            in.getLong(),
                            in.getLong(),
                            in.getLong(),
                            in.getLong());
            found.add(next);
            if (next.what == 'W') {
                in.position(in.position() + (int) next.b);
            }
        }
        return found;
    }

    private List<Told> told(char what) throws IOException {
        return told().stream().filter(each -> each.what == what).toList();
    }

    private static JobPages pages(long start, long end) {
        JobPages pages = new JobPages();
        pages.add(7, start, end);
        return pages;
    }

    private static MemoryMap map(Area... areas) {
        return new MemoryMap(List.of(areas));
    }

    @Test
    void whatIsWantedGoesToItsPlaceAndTheRestIsForgotten() throws Exception {
        put(HEAP, 4 * PAGE);
        MemoryMap map =
                map(
                        Area.plain(HEAP - 8 * PAGE, HEAP - PAGE),
                        Area.plain(HEAP - PAGE, HEAP + 9 * PAGE));
        JobPages wanted = pages(HEAP + PAGE, HEAP + 6 * PAGE);
        assertEquals(1, kept.place(wanted, Map.of(7, map), Inherited.none()));
        kept.go(false);
        long offset = told('W').getFirst().a;
        assertEquals(List.of(new Told('D', offset, PAGE, 0, 0)), told('D'));
        assertEquals(
                List.of(new Told('P', 7 * PAGE, offset - PAGE, 10 * PAGE, 0)),
                told('P')); // behind the mapping that has nothing
        assertEquals(List.of(new Told('Z', 7, (HEAP - 8 * PAGE) % (512 * HUGE), 0, 0)), told('Z'));
        assertEquals('G', told().getLast().what);
        assertEquals(2 * PAGE, wanted.without(kept.placed()).bytes()); // came later, or never
    }

    /** Its heap has grown, and of what it had of its own one page is inherited now. */
    @Test
    void whatAChildInheritsIsTakenFromItsParent() throws Exception {
        put(HEAP, 4 * PAGE);
        assertTrue(kept.put(8, HEAP + PAGE, ByteBuffer.allocateDirect(2 * (int) PAGE)));
        MemoryMap parents = map(Area.plain(MAPPED - PAGE, MAPPED), Area.plain(HEAP, HEAP + HUGE));
        MemoryMap childs = map(Area.plain(HEAP + PAGE, HEAP + 2 * HUGE));
        JobPages wanted = pages(HEAP, HEAP + 4 * PAGE);
        wanted.add(8, HEAP + PAGE, HEAP + 4 * PAGE);
        JobPages inherited = new JobPages();
        inherited.add(8, HEAP + PAGE, HEAP + 2 * PAGE);
        inherited.add(8, HEAP + 3 * PAGE, HEAP + 4 * PAGE);
        Map<Integer, MemoryMap> maps = Map.of(7, parents, 8, childs);
        Inherited all = new Inherited(inherited, maps, Map.of(8, 7));
        assertEquals(2, kept.place(wanted, maps, all));
        kept.go(false);
        assertEquals(
                List.of(new Told('F', 7, 2 * PAGE, HUGE - PAGE, 0)), told('F')); // behind another
        assertEquals(
                List.of(new Told('S', 0, PAGE, 0, 0), new Told('S', 2 * PAGE, 3 * PAGE, 0, 0)),
                told('S'));
        assertEquals(1, told('P').stream().filter(each -> each.d == 1).count());
        assertEquals(List.of(PAGE), told('D').stream().map(Told::b).toList());
        assertEquals(2 * PAGE, wanted.without(kept.placed()).bytes());
    }

    /** As a source might say that lies. */
    @Test
    void nobodyInheritsWhatThereIsNot() throws Exception {
        put(HEAP, 4 * PAGE);
        MemoryMap map = map(Area.plain(HEAP, HEAP + HUGE));
        Map<Integer, MemoryMap> maps = Map.of(7, map, 8, map);
        JobPages wanted = pages(HEAP, HEAP + 4 * PAGE);
        for (int parent : List.of(7, 9)) {
            JobPages inherited = new JobPages();
            inherited.add(8, HEAP + 3 * PAGE, HEAP + 5 * PAGE);
            Inherited all = new Inherited(inherited, maps, Map.of(8, parent));
            assertThrows(IOException.class, () -> kept.place(wanted, maps, all));
        }
    }

    @Test
    void zerosTakeNoRoomAndWhatWasInTheirPlaceIsForgotten() throws Exception {
        put(MAPPED, 4 * PAGE);
        assertTrue(kept.zeros(7, new PageRange(MAPPED + PAGE, MAPPED + 3 * PAGE)));
        assertTrue(kept.zeros(7, new PageRange(MAPPED + HUGE, MAPPED + 2 * HUGE)));
        JobPages wanted = pages(MAPPED, MAPPED + 4 * PAGE);
        wanted.add(7, MAPPED + HUGE, MAPPED + 2 * HUGE);
        MemoryMap map =
                map(
                        Area.plain(MAPPED, MAPPED + 4 * PAGE),
                        Area.plain(MAPPED + HUGE, MAPPED + 2 * HUGE));
        assertEquals(1, kept.place(wanted, Map.of(7, map), Inherited.none()));
        kept.go(false);
        long offset = told('W').getFirst().a;
        assertEquals(List.of(new Told('D', offset + PAGE, 2 * PAGE, 0, 0)), told('D'));
        assertEquals(2, told('P').size());
        assertEquals(0, wanted.without(kept.placed()).bytes());
    }

    /** Its second half came into being with the first, and holds nothing else. */
    @Test
    void zerosLeaveAHugePageWhole() throws Exception {
        put(MAPPED, HALF);
        assertTrue(kept.zeros(7, new PageRange(MAPPED + HALF, MAPPED + HUGE)));
        JobPages wanted = pages(MAPPED, MAPPED + HUGE);
        kept.place(wanted, Map.of(7, map(Area.plain(MAPPED, MAPPED + HUGE))), Inherited.none());
        kept.go(false);
        assertEquals(List.of(), told('D'));
        assertEquals(0, wanted.without(kept.placed()).bytes());
    }

    @Test
    void noMoreZerosThanCanBeKeptTrackOf() throws Exception {
        long tera = 1L << 40;
        assertThrows(IOException.class, () -> kept.zeros(7, new PageRange(0, 2 * tera)));
        assertFalse(kept.zeros(7, new PageRange((1L << 47) - PAGE, (1L << 47) + PAGE)));
        for (long at = 0; at < 4; at++) {
            kept.zeros(7, new PageRange(0, tera / 4)); // no more for being said again
            assertTrue(kept.zeros(7, new PageRange(at * tera / 4, at * tera / 4 + tera / 4)));
        }
        assertThrows(IOException.class, () -> kept.zeros(8, new PageRange(tera, tera + PAGE)));
    }

    @Test
    void aFullBlockIsAHugePage() throws Exception {
        put(MAPPED, HALF);
        put(MAPPED + HALF, HALF);
        put(MAPPED, PAGE);
        put(MAPPED + 2 * HUGE + PAGE, HALF);
        assertEquals(List.of(1L, 0L, 0L, 0L), told('W').stream().map(Told::c).toList());
    }

    /** Its second half never came: nothing may be left of it in the job. */
    @Test
    void whatCameIntoBeingWithAHugePageIsForgotten() throws Exception {
        put(MAPPED, HALF);
        JobPages wanted = pages(MAPPED, MAPPED + HALF + PAGE);
        kept.place(wanted, Map.of(7, map(Area.plain(MAPPED, MAPPED + HUGE))), Inherited.none());
        kept.go(false);
        long offset = told('W').getFirst().a;
        assertEquals(List.of(new Told('D', offset + HALF + PAGE, HALF - PAGE, 0, 0)), told('D'));
        assertEquals(PAGE, wanted.without(kept.placed()).bytes());
    }

    @Test
    void whatIsNotPlainIsCopied() throws Exception {
        put(MAPPED, PAGE);
        Area locked = new Area(MAPPED, MAPPED + PAGE, 3, 0x2022, 0x201);
        kept.place(pages(MAPPED, MAPPED + PAGE), Map.of(7, map(locked)), Inherited.none());
        kept.go(false);
        assertEquals(1, told('P').getFirst().d);
    }

    /** What a child has from its parent without pages of its own criufill empties. */
    @Test
    void aProcessWithoutPagesIsGivenNone() throws Exception {
        put(MAPPED, PAGE);
        MemoryMap map = map(Area.plain(MAPPED, MAPPED + HUGE));
        assertEquals(
                1,
                kept.place(pages(MAPPED, MAPPED + PAGE), Map.of(7, map, 8, map), Inherited.none()));
        kept.go(false);
        assertEquals(List.of(7L), told('Z').stream().map(Told::a).toList());
    }

    /** A Terabyte of which one page is there must not become memory that counts. */
    @Test
    void whatIsCopiedNeedNotAllBeWritable() throws Exception {
        put(MAPPED, PAGE);
        Area sparse = new Area(MAPPED, MAPPED + (1L << 40), 3, 0x4022, 0x201);
        kept.place(pages(MAPPED, MAPPED + PAGE), Map.of(7, map(sparse)), Inherited.none());
        kept.go(false);
        assertEquals(1, told('P').size());
        assertTrue(told('U').size() <= 2, told('U')::toString);
    }

    @Test
    void pagesInNoMappingAreRefused() throws Exception {
        put(MAPPED, 2 * PAGE);
        JobPages wanted = pages(MAPPED, MAPPED + 2 * PAGE);
        MemoryMap map = map(Area.plain(MAPPED, MAPPED + PAGE));
        assertThrows(IOException.class, () -> kept.place(wanted, Map.of(7, map), Inherited.none()));
    }

    @Test
    void withoutPagesCriuGoesOnByItself() throws Exception {
        MemoryMap map = map(Area.plain(MAPPED, MAPPED + PAGE));
        assertEquals(0, kept.place(pages(MAPPED, MAPPED + PAGE), Map.of(7, map), Inherited.none()));
        kept.go(false);
        assertEquals(List.of('G'), told().stream().map(Told::what).toList());
    }

    @Test
    void addressesThatAreNoneAreNotKept() throws Exception {
        ByteBuffer page = ByteBuffer.allocateDirect((int) PAGE);
        assertFalse(kept.put(7, -PAGE, page));
        assertFalse(kept.put(7, Long.MAX_VALUE - PAGE + 1, page));
        assertFalse(kept.put(7, 1L << 60, page));
    }

    @Test
    void aRangeOverTheEndOfAWindowIsKeptWhole() throws Exception {
        put(2L << 30, PAGE);
        put((3L << 30) - PAGE, 2 * PAGE);
        kept.go(false);
        assertEquals(3, told('W').size());
        assertEquals(told('W').get(1).a + PAGE, told('W').get(2).a);
    }
}
