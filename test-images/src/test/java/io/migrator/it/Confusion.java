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

    /** What check said. */
    enum Said {
        PASSES("passes"),
        WARNS("passes, and names what is lost"),
        FORBIDS("forbids");

        private final String text;

        Said(String text) {
            this.text = text;
        }
    }

    private final Map<Said, Map<Came, Integer>> rows = new EnumMap<>(Said.class);
    private int cases;

    void add(Said said, Came came) {
        rows.computeIfAbsent(said, _ -> new EnumMap<>(Came.class)).merge(came, 1, Integer::sum);
        cases++;
    }

    /** Whether a check that says so was right. */
    static boolean isRight(Said said, Came came) {
        return switch (said) {
            case PASSES -> came == Came.CARRIED;
            case WARNS -> came == Came.CARRIED || came == Came.BROKEN;
            case FORBIDS -> came == Came.REFUSED;
        };
    }

    int cases() {
        return cases;
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
        table.append("\n|---|---|---|---|---|\n");
        for (Said said : Said.values()) {
            table.append("| `check` %s |".formatted(said.text));
            Map<Came, Integer> row = rows.getOrDefault(said, Map.of());
            for (Came came : Came.values()) {
                table.append(" %d |".formatted(row.getOrDefault(came, 0)));
            }
            table.append("\n");
        }
        return table.toString();
    }
}
