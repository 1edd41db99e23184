package io.migrator.cli;

import io.migrator.migration.Stage;

import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The stages of one migration drawn to scale, and below them which node executed the job when. Fits
 * a terminal of 80 columns. Immutable.
 *
 * @param from name of the source
 * @param to name of the target
 * @param phases milliseconds of each stage by its name, in order; those of 0 are not drawn
 * @param frozenMillis how long the job stood still; it ended with the stage {@link Stage#HANDOVER}
 */
record Timeline(String from, String to, Map<String, Double> phases, double frozenMillis) {
    private static final int NAME_COLUMNS = 9;
    private static final int BAR_COLUMNS = 56;

    /** The characters of a drawing. */
    enum Ink {
        BLOCKS('█', '█', '░'),
        ASCII('=', '#', '.');

        private final char stage;
        private final char runs;
        private final char frozen;

        Ink(char stage, char runs, char frozen) {
            this.stage = stage;
            this.runs = runs;
            this.frozen = frozen;
        }

        /** The best one that this charset can show. */
        static Ink of(Charset charset) {
            boolean able = charset.canEncode() && charset.newEncoder().canEncode("█░");
            return able ? BLOCKS : ASCII;
        }
    }

    /** The drawing, line by line. */
    List<String> lines(Ink ink) {
        double total = phases.values().stream().mapToDouble(Double::doubleValue).sum();
        Scale scale = new Scale(total);
        List<String> lines = new ArrayList<>();
        double begin = 0;
        double running = 0;
        for (Map.Entry<String, Double> phase : phases.entrySet()) {
            double end = begin + phase.getValue();
            if (phase.getValue() > 0) {
                lines.add(line(phase.getKey(), scale.bar(begin, end, ink.stage), end - begin));
            }
            if (phase.getKey().equals(Stage.HANDOVER.text())) {
                running = end;
            }
            begin = end;
        }
        double frozen = Math.max(0, running - frozenMillis);
        lines.add("");
        String source = scale.bar(0, frozen, ink.runs);
        lines.add(line(from, scale.over(source, frozen, running, ink.frozen), frozen));
        lines.add(line(to, scale.bar(running, total, ink.runs), total - running));
        lines.add(
                "%s %c the job runs   %c it stands still"
                        .formatted(name(""), ink.runs, ink.frozen));
        return lines;
    }

    private static String line(String name, String bar, double millis) {
        return String.format(
                Locale.ROOT, "%s %-" + BAR_COLUMNS + "s %7.0f ms", name(name), bar, millis);
    }

    private static String name(String name) {
        String shown = name.substring(0, Math.min(name.length(), NAME_COLUMNS));
        return String.format(Locale.ROOT, " %-" + NAME_COLUMNS + "s", shown);
    }

    /** Milliseconds to columns. */
    private record Scale(double totalMillis) {
        /** What lasts at all gets a column. */
        String bar(double fromMillis, double toMillis, char ink) {
            return over("", fromMillis, toMillis, ink);
        }

        /** A bar with another one drawn over it. */
        String over(String under, double fromMillis, double toMillis, char ink) {
            int from = Math.min(column(fromMillis), BAR_COLUMNS - 1);
            int to = Math.max(column(toMillis), from + 1);
            String left = under.length() > from ? under.substring(0, from) : under;
            return left + " ".repeat(from - left.length()) + String.valueOf(ink).repeat(to - from);
        }

        private int column(double millis) {
            return totalMillis > 0 ? (int) Math.round(millis / totalMillis * BAR_COLUMNS) : 0;
        }
    }
}
