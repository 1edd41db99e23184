package io.migrator.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.migrator.criu.MemoryMap;
import io.migrator.criu.MemoryMap.Area;

import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Map;

/** What of a dump can be inherited: 8 is a child of 7, and 9 of 8. */
class InheritedTest {
    private static final long PAGE = PageSet.PAGE_BYTES;
    private static final long AREA = 64 * PAGE;
    private static final long AT = 0x7f00_0000_0000L;
    private static final Map<Integer, Integer> PARENTS = Map.of(8, 7, 9, 8);

    private static MemoryMap map(Area... areas) {
        return new MemoryMap(List.of(areas));
    }

    private static JobPages pages(int... pids) {
        JobPages found = new JobPages();
        for (int pid : pids) {
            found.add(pid, AT, AT + AREA);
        }
        return found;
    }

    private static long possible(Area childs, Area parents) {
        Map<Integer, MemoryMap> maps = Map.of(7, map(parents), 8, map(childs));
        JobPages found = new Inherited(pages(8), maps, PARENTS).possible(pages(7, 8)).pages();
        assertEquals(found.bytes(), found.of(8).bytes());
        return found.bytes();
    }

    @Test
    void whereTheParentHasTheSameKindOfMapping() {
        Area plain = Area.plain(AT, AT + AREA);
        assertEquals(AREA, possible(plain, plain));
        assertEquals(AREA, possible(plain, Area.plain(AT - AREA, AT + 2 * AREA)));
        assertEquals(PAGE, possible(plain, Area.plain(AT - AREA, AT + PAGE)));
        assertEquals(0, possible(plain, Area.plain(AT + PAGE, AT + AREA)));
        assertEquals(0, possible(plain, Area.plain(AT - AREA, AT)));
        long noReserve = plain.flags() | 0x4000;
        Area large = new Area(AT, AT + AREA, plain.protection(), noReserve, plain.status());
        assertEquals(0, possible(plain, large));
        assertEquals(AREA, possible(large, large));
        long locked = plain.flags() | 0x2000;
        Area held = new Area(AT, AT + AREA, plain.protection(), locked, plain.status());
        assertEquals(0, possible(held, held));
        Area shut = new Area(AT, AT + AREA, 1, plain.flags(), plain.status());
        assertEquals(0, possible(plain, shut));
        assertEquals(0, possible(shut, plain));
    }

    @Test
    void whatBothHave() {
        MemoryMap map = map(Area.plain(AT, AT + AREA));
        Map<Integer, MemoryMap> maps = Map.of(7, map, 8, map, 9, map);
        JobPages all = pages(7, 8, 9);
        all.remove(7, AT, AT + PAGE);
        all.remove(9, AT + 2 * PAGE, AT + 3 * PAGE);
        JobPages found = new Inherited(pages(7, 8, 9), maps, PARENTS).possible(all).pages();
        assertEquals(0, found.of(7).bytes());
        assertEquals(AREA - PAGE, found.of(8).bytes());
        assertEquals(AREA - PAGE, found.of(9).bytes());
    }

    @Test
    void onWhatIsInheritedOthersDepend() {
        JobPages inherited = new JobPages();
        inherited.add(9, AT, AT + PAGE);
        JobPages found = new Inherited(inherited, Map.of(), PARENTS).independent(pages(7, 8, 9));
        assertEquals(AREA, found.of(7).bytes());
        assertEquals(AREA - PAGE, found.of(8).bytes());
        assertEquals(AREA - PAGE, found.of(9).bytes());
    }
}
