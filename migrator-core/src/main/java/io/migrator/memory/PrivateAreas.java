package io.migrator.memory;

import io.migrator.linux.Proc;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The mappings whose pages criushim.c hides from criu: private, anonymous, readable, writable, and
 * no stack (proc(5), maps).
 */
final class PrivateAreas {
    private static final Pattern LINE =
            Pattern.compile(
                    "(?m)^(\\p{XDigit}+)-(\\p{XDigit}+) rw-p \\p{XDigit}+ 0+:0+ 0"
                            + "(?: +(?:\\[heap\\]|\\[anon:).*| *)$");

    private PrivateAreas() {}

    /** Those of a process, in order. */
    static List<PageRange> of(Proc process) throws IOException {
        return in(Files.readString(process.file("maps"), StandardCharsets.ISO_8859_1));
    }

    static List<PageRange> in(String maps) {
        List<PageRange> found = new ArrayList<>();
        Matcher lines = LINE.matcher(maps);
        while (lines.find()) {
            long start = Long.parseUnsignedLong(lines.group(1), 16);
            long end = Long.parseUnsignedLong(lines.group(2), 16);
            found.add(new PageRange(start, end));
        }
        return found;
    }
}
