package io.migrator.cli;

import io.migrator.problem.Problem;

import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Rates as they are typed: numbers with {@code kbit}, {@code Mbit} or {@code Gbit} as in tc(8), or
 * {@code kB}, {@code MB} or {@code GB}, all of them a second and decimal.
 */
final class Bandwidth {
    private static final Pattern RATE = Pattern.compile("(\\d{1,6}(?:\\.\\d{1,3})?)([kmg])(bit|b)");
    private static final Map<String, Double> TIMES = Map.of("k", 1e3, "m", 1e6, "g", 1e9);
    private static final double BITS = 8;

    private Bandwidth() {}

    /**
     * Reads one.
     *
     * @param option by which it came, for messages
     * @return bytes a second, at least 1
     * @throws Problem if it is none, or nothing at all
     */
    static long of(String option, String text) throws Problem {
        Matcher rate = RATE.matcher(text.toLowerCase(Locale.ROOT));
        if (rate.matches()) {
            double bytes =
                    Double.parseDouble(rate.group(1))
                            * TIMES.getOrDefault(rate.group(2), 0.0)
                            / (rate.group(3).equals("bit") ? BITS : 1);
            if (bytes >= 1) {
                return (long) bytes;
            }
        }
        throw Problem.usage("%s %s is not a rate".formatted(option, text))
                .tryThis("write 500Mbit, 2Gbit or 100MB");
    }
}
