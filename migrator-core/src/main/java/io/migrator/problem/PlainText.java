package io.migrator.problem;

import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Text that may be shown on a terminal though parts of it come from jobs, peers and logs: files and
 * programs are called as anybody likes.
 */
public final class PlainText {
    /** Control characters, and what is not seen but changes what is (Unicode's Cf, Zl and Zp). */
    private static final Pattern CONTROLS =
            Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}&&[^\n\t]]");

    private PlainText() {}

    /** The same with dots in the place of what could steer a terminal; line ends and tabs stay. */
    public static String of(String text) {
        return CONTROLS.matcher(text).replaceAll(".");
    }

    /** A JSON text (RFC 8259) that means the same, with escapes in the place of such. */
    public static String ofJson(String json) {
        return CONTROLS.matcher(json)
                .replaceAll(found ->
                        found.group()
                                .chars()
                                .mapToObj("\\\\u%04x"::formatted)
                                .collect(Collectors.joining()));
    }
}
