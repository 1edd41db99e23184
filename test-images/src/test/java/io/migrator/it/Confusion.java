package io.migrator.it;

import java.util.EnumMap;
import java.util.Map;

/** What {@code check} said of jobs beforehand, beside what {@code migrate} did with them. */
final class Confusion {
    /** What a move came to. */
    enum Came {
        CARRIED("goes over"),
        REFUSED("refused"),
        FAILED("fails, the job runs on"),
        BROKEN("goes over and is broken");

        private final String text;

        Came(String text) {
            this.text = text;
        }
    }

    private final Map<Came, Integer> passed = new EnumMap<>(Came.class);
    private final Map<Came, Integer> forbidden = new EnumMap<>(Came.class);

    void add(boolean goes, Came came) {
        (goes ? passed : forbidden).merge(came, 1, Integer::sum);
    }

    /** Whether a check that says so was right. */
    static boolean isRight(boolean goes, Came came) {
        return came == (goes ? Came.CARRIED : Came.REFUSED);
    }

    int cases() {
        return sum(passed) + sum(forbidden);
    }

    private static int sum(Map<Came, Integer> row) {
        return row.values().stream().mapToInt(Integer::intValue).sum();
    }

    /**
     * As a table.
     *
     * @param title over its first column
     */
    String table(String title) {
        StringBuilder table = new StringBuilder("| " + title + " |");
        for (Came came : Came.values()) {
            table.append(" %s |".formatted(came.text));
        }
        table.append("%n|---|---|---|---|---|%n".formatted());
        append(table, "passes", passed);
        append(table, "forbids", forbidden);
        return table.toString();
    }

    private static void append(StringBuilder table, String said, Map<Came, Integer> row) {
        table.append("| `check` %s |".formatted(said));
        for (Came came : Came.values()) {
            table.append(" %d |".formatted(row.getOrDefault(came, 0)));
        }
        table.append(System.lineSeparator());
    }
}
