package io.migrator.it;

import java.util.List;
import java.util.Locale;

/**
 * What came of a case.
 *
 * @param place of the case, see {@link FaultCase#name}
 * @param connection alive, or what is wrong with it
 * @param doubled numbers of the tally that were written twice
 * @param lost numbers that are missing
 * @param wrong whatever else was not as it has to be; empty if all was
 * @param seconds how long migrate took
 * @param said what migrate and recover told a person
 */
record FaultSeen(
        String place,
        int exit,
        String atOnce,
        String after,
        String connection,
        long doubled,
        long lost,
        List<String> wrong,
        double seconds,
        String said) {
    static final String HEAD =
            "case\texit\tat once\tafter recover\tconnection\tdoubled\tlost\tseconds\tdiffers";

    /** What differs from what was expected; empty if nothing does. */
    String differs(FaultCase expected) {
        StringBuilder text = new StringBuilder();
        differ(text, "exit", String.valueOf(expected.exit()), String.valueOf(exit));
        differ(text, "at once", expected.atOnce(), atOnce);
        differ(text, "after", expected.after(), after);
        if (expected.talks()) {
            differ(text, "connection", "alive", connection);
        }
        differ(text, "doubled", "0", String.valueOf(doubled));
        differ(text, "lost", "0", String.valueOf(lost));
        wrong.forEach(each -> text.append(text.isEmpty() ? "" : "; ").append(each));
        return text.toString();
    }

    private static void differ(StringBuilder text, String what, String expected, String seen) {
        if (!expected.equals(seen)) {
            text.append(text.isEmpty() ? "" : "; ")
                    .append("%s %s, not %s".formatted(what, seen, expected));
        }
    }

    /** A line of faults-seen.tsv. */
    String line(FaultCase expected) {
        return String.join(
                "\t",
                place,
                String.valueOf(exit),
                atOnce,
                after,
                plain(connection),
                String.valueOf(doubled),
                String.valueOf(lost),
                String.format(Locale.ROOT, "%.1f", seconds),
                plain(differs(expected)));
    }

    private static String plain(String text) {
        return text.strip().replaceAll("\\s+", " ");
    }
}
