package io.migrator.cli;

import io.migrator.problem.Problem;

import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Spans of time as they are typed: numbers with {@code ms}, {@code s}, {@code m} or {@code h}. */
final class Span {
    private static final Pattern PART = Pattern.compile("\\G(\\d{1,9})(ms|s|m|h)");

    /** Some ten years: the system's clock counts nanoseconds of 292. */
    private static final Duration MOST = Duration.ofHours(90_000);

    private Span() {}

    /**
     * Reads one.
     *
     * @param option by which it came, for messages
     * @throws Problem if it is none, or no time at all
     */
    static Duration of(String option, String text) throws Problem {
        Duration sum = Duration.ZERO;
        Matcher part = PART.matcher(text.toLowerCase(Locale.ROOT));
        int end = 0;
        while (part.find()) {
            long number = Long.parseLong(part.group(1));
            sum =
                    sum.plus(
                            switch (part.group(2)) {
                                case "ms" -> Duration.ofMillis(number);
                                case "s" -> Duration.ofSeconds(number);
                                case "m" -> Duration.ofMinutes(number);
                                default -> Duration.ofHours(number);
                            });
            end = part.end();
        }
        if (end != text.length() || sum.isZero()) {
            throw Problem.usage("%s %s is not a time".formatted(option, text))
                    .tryThis("write 90s, 10m, 1h or 500ms");
        }
        if (sum.compareTo(MOST) > 0) {
            throw Problem.usage("%s %s is too long a time".formatted(option, text))
                    .because("the longest is %dh".formatted(MOST.toHours()))
                    .tryThis("write 90s, 10m, 1h or 500ms");
        }
        return sum;
    }
}
