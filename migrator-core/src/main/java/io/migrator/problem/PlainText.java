package io.migrator.problem;

import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Text that peers, jobs and logs wrote, so that nothing in it can steer a terminal. */
public final class PlainText {
    private static final String CUT = "...";

    /** Those that order text from right to left, or join letters, are of the second kind. */
    private static final Pattern CONTROLS = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]");

    private static final Pattern CONTROLS_WITHIN_LINES =
            Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}&&[^\n\t]]");

    private PlainText() {}

    /** The text with a dot for each control character but line feeds and tabs. */
    public static String of(String text) {
        return CONTROLS_WITHIN_LINES.matcher(text).replaceAll(".");
    }

    /**
     * The text as one line, with a dot for each control character, and cut off with three dots if
     * it is too long.
     *
     * @param most characters of it, 3 or more
     */
    public static String line(String text, int most) {
        boolean isLong = text.length() > most;
        String kept = isLong ? text.substring(0, most - CUT.length()) : text;
        return CONTROLS.matcher(kept).replaceAll(".") + (isLong ? CUT : "");
    }

    /** A JSON text (RFC 8259) that means the same, with escapes in the place of such characters. */
    public static String ofJson(String json) {
        return CONTROLS_WITHIN_LINES
                .matcher(json)
                .replaceAll(found ->
                        found.group()
                                .chars()
                                .mapToObj("\\\\u%04x"::formatted)
                                .collect(Collectors.joining()));
    }
}
