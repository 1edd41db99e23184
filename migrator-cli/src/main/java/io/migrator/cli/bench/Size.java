package io.migrator.cli.bench;

import io.migrator.problem.Problem;

import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes as a person writes them. */
final class Size {
    private static final Pattern FORM = Pattern.compile("([0-9]{1,9})([KMG]I?B|B)?");
    private static final Map<String, Long> UNITS =
            Map.of(
                    "B", 1L,
                    "KB", 1_000L,
                    "MB", 1_000_000L,
                    "GB", 1_000_000_000L,
                    "KIB", 1L << 10,
                    "MIB", 1L << 20,
                    "GIB", 1L << 30);

    private Size() {}

    /** Bytes; 1 at least. */
    static long parse(String text) throws Problem {
        Matcher matcher = FORM.matcher(text.toUpperCase(Locale.ROOT));
        if (matcher.matches()) {
            String unit = matcher.group(2);
            long bytes =
                    Long.parseLong(matcher.group(1))
                            * UNITS.getOrDefault(unit == null ? "B" : unit, 1L);
            if (bytes > 0) {
                return bytes;
            }
        }
        throw Problem.usage("'" + text + "' is not a size").tryThis("write 512MiB or 4GiB");
    }
}
