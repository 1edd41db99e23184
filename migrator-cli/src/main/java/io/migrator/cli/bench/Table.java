package io.migrator.cli.bench;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** The figures as a person reads them on a terminal. */
final class Table {
    private static final String HEAD = "  %-13s %2s %22s %7s %8s %8s %6s %7s %7s  %-9s  %s%n";
    private static final double MEGA = 1e6;

    private Table() {}

    static void print(List<MoveCase> figures, Sample noise) {
        System.out.printf(
                "%nnoise floor (the payloads' longest gap with nothing going on): %s ms%n",
                noise.text("%.1f"));
        String name = "";
        for (MoveCase each : figures) {
            if (!each.name().equals(name)) {
                name = each.name();
                System.out.printf("%n%s%n", name);
                System.out.printf(
                        HEAD,
                        "",
                        "n",
                        "gap ms (min-max)",
                        "silence",
                        "told",
                        "total",
                        "CPU s",
                        "peak MB",
                        "sent MB",
                        "work",
                        "ratio to by hand; steps");
            }
            row(each);
        }
        System.out.println();
        for (MoveCase each : figures) {
            each.failures()
                    .forEach(failure ->
                            System.out.printf(
                                    "FAILED %s, %s, %s%n", each.name(), each.way(), failure));
        }
    }

    private static void row(MoveCase of) {
        String gap =
                of.gapMillis() == null
                        ? "failed"
                        : "%s (%s - %s)"
                                .formatted(
                                        number("%.0f", of.gapMillis()),
                                        number("%.0f", of.gapMinMillis()),
                                        number("%.0f", of.gapMaxMillis()));
        System.out.printf(
                HEAD,
                of.way(),
                of.repeats(),
                gap,
                number("%.0f", of.silenceMillis()),
                number("%.0f", of.frozenMillis()),
                number("%.0f", of.totalMillis()),
                number("%.1f", of.cpuSeconds()),
                mega(of.peakBytes()),
                mega(of.sentBytes()),
                number("%.2f", of.workMeanwhile()) + " " + number("%.2f", of.workAfter()),
                ratio(of) + steps(of.phases()));
    }

    private static String ratio(MoveCase of) {
        return of.ratio() == null
                ? ""
                : "%s (%s - %s); "
                        .formatted(
                                number("%.3f", of.ratio()),
                                number("%.3f", of.ratioMin()),
                                number("%.3f", of.ratioMax()));
    }

    private static String steps(Map<String, Double> phases) {
        return phases.entrySet().stream()
                .map(step -> step.getKey() + number(" %.0f", step.getValue()))
                .collect(Collectors.joining(", "));
    }

    private static String mega(@Nullable Double bytes) {
        return bytes == null ? "" : number("%.0f", bytes / MEGA);
    }

    private static String number(String format, @Nullable Double value) {
        return value == null ? "" : String.format(Locale.ROOT, format, value);
    }
}
