package io.migrator.cli;

import io.migrator.check.Fate;
import io.migrator.check.Finding;
import io.migrator.problem.PlainText;
import io.migrator.problem.Problem;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** How {@code check} words what was found. */
final class FoundText {
    private static final String NO = "no:      ";
    private static final String WARNING = "warning: ";
    private static final String FILE = "file:    ";
    private static final String INDENT = "         ";
    private static final double MEGA = 1e6;

    /** Of a text that a node may have written. */
    private static final int MOST_CHARACTERS = 1000;

    private FoundText() {}

    /**
     * A finding.
     *
     * @param about the nodes it is about; empty if that need not be said
     */
    static List<String> of(Finding finding, List<String> about) {
        String what = finding.what();
        return List.of(
                (finding.forbids() ? NO : WARNING) + label(about) + what,
                INDENT + finding.because(),
                INDENT + "try: " + finding.tryThis());
    }

    /** Why a node could not be asked. */
    static List<String> of(Problem problem, List<String> about) {
        List<String> lines = new ArrayList<>();
        lines.add(NO + label(about) + line(problem.what()));
        if (!problem.because().isEmpty()) {
            lines.add(INDENT + line(problem.because()));
        }
        if (!problem.tryThis().isEmpty()) {
            lines.add(INDENT + "try: " + line(problem.tryThis()));
        }
        return lines;
    }

    /** What becomes of a file. */
    static String of(Fate fate, List<String> about) {
        return FILE
                + label(about)
                + PlainText.of(fate.path())
                + String.format(Locale.ROOT, " (%s, %.1f MB)", fate.what(), fate.bytes() / MEGA);
    }

    private static String label(List<String> about) {
        return about.isEmpty() ? "" : "[" + String.join(", ", about) + "] ";
    }

    private static String line(String text) {
        return PlainText.line(text, MOST_CHARACTERS);
    }
}
