package io.migrator.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Set;

class PrivateAreasTest {
    private static final String MAPS =
            """
            55d0c0a00000-55d0c0a21000 rw-p 00000000 00:00 0                          [heap]
            7f0000000000-7f0000021000 rw-p 00000000 00:00 0
            7f0000021000-7f0004000000 ---p 00000000 00:00 0
            7f0010000000-7f0010001000 rw-s 00000000 00:01 4 /dev/zero (deleted)
            7f0020000000-7f0020001000 rw-p 00000000 00:00 0 [anon:glibc: malloc]
            7f0030000000-7f0030001000 rw-p 00002000 fe:00 131 /usr/lib/libc.so.6
            7f0040000000-7f0040001000 rwxp 00000000 00:00 0
            7f0050000000-7f0050001000 r--p 00000000 00:00 0
            7f0060000000-7f0060001000 rw-p 00000000 00:00 0 [stack:123]
            7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]
            7ffd00100000-7ffd00104000 r--p 00000000 00:00 0                          [vvar]
            """;

    /** As criushim.c has it. */
    @Test
    void areWhatTheShimHides() {
        assertEquals(
                List.of(
                        new PageRange(0x55d0c0a00000L, 0x55d0c0a21000L),
                        new PageRange(0x7f0000000000L, 0x7f0000021000L),
                        new PageRange(0x7f0020000000L, 0x7f0020001000L)),
                PrivateAreas.in(MAPS));
    }

    /** The kernel escapes a line feed in a path and nothing else. */
    @Test
    void aPathIsNoLineOfItsOwn() {
        for (String end : List.of("\r", "\u0085", "\u2028")) {
            String path = "/x" + end + "00400000-00500000 rw-p 00000000 00:00 0 [heap]";
            String file = "7f0030000000-7f0030001000 rw-p 00002000 fe:00 131 " + path + "\n";
            assertEquals(PrivateAreas.in(MAPS), PrivateAreas.in(file + MAPS));
        }
    }

    /** All of the address space, as evenly as huge pages allow. */
    @Test
    void partsHoldAboutAsMuch() {
        long huge = 2L << 20;
        List<PageRange> areas =
                List.of(
                        new PageRange(3 * huge, 7 * huge),
                        new PageRange(9 * huge + 4096, 9 * huge + 8192),
                        new PageRange(20 * huge, 24 * huge));
        assertEquals(List.of(PageRange.ALL), PrivateAreas.parts(areas, 1));
        assertEquals(List.of(PageRange.ALL), PrivateAreas.parts(List.of(), 7));
        assertEquals(
                List.of(new PageRange(0, 20 * huge), new PageRange(20 * huge, Long.MAX_VALUE)),
                PrivateAreas.parts(areas, 2));
        assertEquals(
                List.of(
                        new PageRange(0, 6 * huge),
                        new PageRange(6 * huge, 22 * huge),
                        new PageRange(22 * huge, Long.MAX_VALUE)),
                PrivateAreas.parts(areas, 3));
        assertEquals(8, PrivateAreas.parts(areas, 1000).size());
    }

    /** What is mapped in one, whatever was there before, lies in it as a whole. */
    @Test
    void stretchesEndWhereOthersBegin() {
        assertEquals(
                List.of(
                        new PageRange(1 << 16, 0x7f0010000000L),
                        new PageRange(0x7f0010001000L, 0x7f0030000000L),
                        new PageRange(0x7f0030001000L, 0x7f0060000000L)),
                PrivateAreas.stretches(MAPS, Set.of()));
        assertEquals(
                List.of(
                        new PageRange(1 << 16, 0x7f0000000000L),
                        new PageRange(0x7f0000021000L, 0x7f0010000000L),
                        new PageRange(0x7f0030001000L, 0x7f0060000000L)),
                PrivateAreas.stretches(
                        MAPS,
                        Set.of(
                                new PageRange(0x7f0000000000L, 0x7f0000021000L),
                                new PageRange(0x7f0020000000L, 0x7f0020001000L))));
    }
}
