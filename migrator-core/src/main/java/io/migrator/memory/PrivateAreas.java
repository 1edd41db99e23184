package io.migrator.memory;

import io.migrator.linux.Proc;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The mappings whose pages criushim.c hides from criu: private, anonymous, readable, writable, and
 * no stack (proc(5), maps).
 */
final class PrivateAreas {
    /** 1 and 2: from where to where; 3: what may be done there; 4: set if it is such memory. */
    private static final Pattern LINE =
            Pattern.compile(
                    "(?dm)^(\\p{XDigit}+)-(\\p{XDigit}+) (\\S+)"
                            + "(?:( \\p{XDigit}+ 0+:0+ 0(?: +(?:\\[heap\\]|\\[anon:).*| *)$)|.*$)");

    private static final String WRITABLE = "rw-p";

    /** Nothing is mapped below it (/proc/sys/vm/mmap_min_addr). */
    private static final long LOWEST = 1 << 16;

    private static final long HUGE_BYTES = 2L << 20;

    private PrivateAreas() {}

    /** Those of a process, in order. */
    static List<PageRange> of(Proc process) throws IOException {
        return in(read(process));
    }

    /** The text that the others look at. */
    static String read(Proc process) throws IOException {
        return Files.readString(process.file("maps"), StandardCharsets.ISO_8859_1);
    }

    static List<PageRange> in(String maps) {
        List<PageRange> found = new ArrayList<>();
        Matcher lines = LINE.matcher(maps);
        while (lines.find()) {
            if (lines.group(4) != null && lines.group(3).equals(WRITABLE)) {
                found.add(range(lines));
            }
        }
        return found;
    }

    /**
     * Ranges in which there are no other mappings than private anonymous ones, whatever may be done
     * with them, and which end where others begin: what is mapped in them meanwhile lies wholly in
     * one.
     *
     * @param others mappings that count as others
     */
    static List<PageRange> stretches(String maps, Set<PageRange> others) {
        List<PageRange> found = new ArrayList<>();
        Matcher lines = LINE.matcher(maps);
        long start = LOWEST;
        boolean any = false;
        while (lines.find()) {
            PageRange range = range(lines);
            boolean isPrivate = lines.group(4) != null && lines.group(3).endsWith("p");
            if (isPrivate && !others.contains(range)) {
                any = true;
                continue;
            }
            if (any) {
                found.add(new PageRange(start, range.start()));
            }
            start = range.end();
            any = false;
        }
        return found;
    }

    /**
     * All addresses, in parts with about as much of some areas in each; no huge page is cut.
     *
     * @param areas in order
     * @param count of parts, or fewer
     */
    static List<PageRange> parts(List<PageRange> areas, long count) {
        long all = areas.stream().mapToLong(PageRange::bytes).sum();
        long most = all / Math.max(1, count) + 1;
        List<PageRange> parts = new ArrayList<>();
        long start = PageRange.ALL.start();
        long filled = 0;
        for (PageRange area : areas) {
            long at = area.start();
            while (filled + area.end() - at > most) {
                long cut = (at + most - filled + HUGE_BYTES - 1) & -HUGE_BYTES;
                if (cut >= area.end()) {
                    break;
                }
                parts.add(new PageRange(start, cut));
                start = cut;
                at = cut;
                filled = 0;
            }
            filled += area.end() - at;
        }
        parts.add(new PageRange(start, PageRange.ALL.end()));
        return parts;
    }

    private static PageRange range(Matcher line) {
        return new PageRange(
                Long.parseUnsignedLong(line.group(1), 16),
                Long.parseUnsignedLong(line.group(2), 16));
    }
}
