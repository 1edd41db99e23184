package io.migrator.cli.bench;

import java.util.List;
import java.util.Locale;

/**
 * Several measurements of one thing, in any unit.
 *
 * @param count how many
 */
record Sample(int count, double median, double min, double max) {
    /** NaN throughout where there is none. */
    static Sample of(List<Double> values) {
        if (values.isEmpty()) {
            return new Sample(0, Double.NaN, Double.NaN, Double.NaN);
        }
        List<Double> sorted = values.stream().sorted().toList();
        int middle = sorted.size() / 2;
        double median =
                sorted.size() % 2 == 1
                        ? sorted.get(middle)
                        : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
        return new Sample(sorted.size(), median, sorted.getFirst(), sorted.getLast());
    }

    double spread() {
        return max - min;
    }

    /** As {@code median (min - max)}. */
    String text(String format) {
        return count == 0
                ? "failed"
                : String.format(
                        Locale.ROOT,
                        format + " (" + format + " - " + format + ")",
                        median,
                        min,
                        max);
    }
}
