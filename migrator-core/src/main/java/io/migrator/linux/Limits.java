package io.migrator.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Resource limits, /proc/PID/limits (proc(5), getrlimit(2)). */
public final class Limits {
    /** What {@code unlimited} is as a number. */
    public static final long UNLIMITED = Long.MAX_VALUE;

    private static final long CAP_SYS_RESOURCE = 1L << 24;

    private static final Pattern LINE =
            Pattern.compile("(?dm)^Max (.+?) {2,}(?:unlimited|\\d+) +(unlimited|\\d+) .*$");

    private Limits() {}

    /** Hard limits by the kernel's names, such as {@code open files}. */
    public static Map<String, Long> hardOf(Proc process) throws IOException {
        return hardIn(Files.readString(process.file("limits"), StandardCharsets.US_ASCII));
    }

    /** The same of the text of such a file. */
    public static Map<String, Long> hardIn(String text) {
        Map<String, Long> found = new TreeMap<>();
        for (Matcher line = LINE.matcher(text); line.find(); ) {
            String hard = line.group(2);
            found.put(line.group(1), hard.equals("unlimited") ? UNLIMITED : number(hard));
        }
        return found;
    }

    /** The kernel takes any number of 64 bits; the larger half of them is as good as no limit. */
    private static long number(String digits) {
        try {
            return Long.parseLong(digits);
        } catch (NumberFormatException e) {
            return UNLIMITED;
        }
    }

    /** Hard limits above which this process can give none to another; empty if it can always. */
    public static Map<String, Long> bounds() throws IOException {
        String capabilities = Proc.self().status("CapEff").orElse("0");
        boolean free = (Long.parseUnsignedLong(capabilities, 16) & CAP_SYS_RESOURCE) != 0;
        return free ? Map.of() : hardOf(Proc.self());
    }
}
