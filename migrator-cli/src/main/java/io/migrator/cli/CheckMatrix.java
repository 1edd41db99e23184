package io.migrator.cli;

import io.migrator.check.Fate;
import io.migrator.check.Finding;
import io.migrator.instance.ImageIdentity;
import io.migrator.migration.Candidate;
import io.migrator.migration.Feasibility;
import io.migrator.migration.Needs;
import io.migrator.migration.TargetFacts;
import io.migrator.problem.PlainText;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What {@code check} prints of several nodes: a table with a column for this node and one for each
 * of them, and below it what was found, once, with those it is about.
 *
 * @param here this node
 * @param ofSource what was found that has to do with none of the nodes that were asked
 */
record CheckMatrix(
        String instance,
        Feasibility.Here here,
        Needs needs,
        List<Finding> ofSource,
        List<NodeAnswer> answers) {
    private static final String GAP = "  ";
    private static final String UNKNOWN = "-";

    /** Of a cell; a node's name takes what it needs. */
    private static final int MOST_CHARACTERS = 32;

    private static final double MEGA = 1e6;
    private static final double GIGA = 1e9;

    /** From here on the unit is the larger one. */
    private static final long MANY_BYTES = 10_000_000_000L;

    /** All of it, line by line. */
    List<String> lines() {
        List<String> lines = new ArrayList<>(laidOut(rows()));
        lines.add("");
        ofSource.forEach(each -> lines.addAll(FoundText.of(each, List.of("here"))));
        nodesBy(this::found).forEach((each, nodes) -> lines.addAll(FoundText.of(each, nodes)));
        for (NodeAnswer each : answers) {
            if (each.problem() != null) {
                lines.addAll(FoundText.of(each.problem(), List.of(each.node())));
            }
        }
        nodesBy(CheckMatrix::files).forEach((each, nodes) -> lines.add(FoundText.of(each, nodes)));
        List<String> able =
                answers.stream().filter(NodeAnswer::canGo).map(NodeAnswer::node).toList();
        lines.add(
                "'%s' can go to %s"
                        .formatted(
                                instance,
                                able.isEmpty() ? "none of them" : String.join(", ", able)));
        return lines;
    }

    /** What was found of a node, but not what was found of the source. */
    private List<Finding> found(Candidate candidate) {
        return candidate.preflight().findings().stream()
                .filter(each -> !ofSource.contains(each))
                .toList();
    }

    private static List<Fate> files(Candidate candidate) {
        return candidate.preflight().fates();
    }

    /** What is said of several nodes in the same words is said once. */
    private <T> Map<T, List<String>> nodesBy(Function<Candidate, List<T>> said) {
        Map<T, List<String>> nodes = new LinkedHashMap<>();
        for (NodeAnswer each : answers) {
            if (each.candidate() != null) {
                for (T one : said.apply(each.candidate())) {
                    nodes.computeIfAbsent(one, _ -> new ArrayList<>()).add(each.node());
                }
            }
        }
        return nodes;
    }

    private List<List<String>> rows() {
        List<String> head = new ArrayList<>(List.of("", here.node() + " (here)"));
        answers.forEach(each -> head.add(each.node()));
        List<List<String>> rows = new ArrayList<>();
        rows.add(head);
        rows.add(row("cpu", "", each -> cpu(each.cpu())));
        rows.add(row("xsave", bytes(here.xsaveBytes()), each -> bytes(each.facts().xsaveBytes())));
        rows.add(row("kernel", here.kernel(), each -> each.facts().kernel()));
        rows.add(row("criu", here.criuVersion(), each -> criu(each.facts())));
        rows.add(
                row(
                        "memory",
                        size(needs.memoryBytes()) + " needed",
                        each -> size(each.facts().freeMemoryBytes()) + " free"));
        rows.add(
                row(
                        "/dev/shm",
                        size(needs.spoolBytes()) + " needed",
                        each -> size(each.facts().freeSpoolBytes()) + " free"));
        rows.add(row("image", "", each -> image(each.image())));
        rows.add(row("forbids", names(ofSource), each -> names(found(each))));
        List<String> last = new ArrayList<>(List.of("can go", ""));
        answers.forEach(each -> last.add(verdict(each)));
        rows.add(last);
        return rows;
    }

    private List<String> row(String name, String ours, Function<Candidate, String> theirs) {
        List<String> row = new ArrayList<>(List.of(name, ours));
        for (NodeAnswer each : answers) {
            row.add(each.candidate() == null ? UNKNOWN : theirs.apply(each.candidate()));
        }
        return row;
    }

    private static String cpu(Candidate.Cpu cpu) {
        return switch (cpu) {
            case SAME -> "same kind";
            case FITS -> "fits";
            case LACKS -> "lacks features";
            case UNKNOWN -> UNKNOWN;
        };
    }

    private static String criu(TargetFacts facts) {
        return facts.criuProblem().isEmpty() ? facts.criuVersion() : "none of use";
    }

    private static String image(ImageIdentity.Match match) {
        return match.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    private static String bytes(long xsave) {
        return xsave == 0 ? UNKNOWN : xsave + " B";
    }

    private static String size(long bytes) {
        return bytes < MANY_BYTES
                ? String.format(Locale.ROOT, "%.0f MB", bytes / MEGA)
                : String.format(Locale.ROOT, "%.1f GB", bytes / GIGA);
    }

    private static String names(Collection<Finding> findings) {
        return findings.stream()
                .filter(Finding::forbids)
                .map(Finding::check)
                .distinct()
                .collect(Collectors.joining(", "));
    }

    private static String verdict(NodeAnswer answer) {
        if (answer.canGo()) {
            return "yes";
        }
        if (!answer.reached()) {
            return "no: not reached";
        }
        return answer.candidate() == null ? "no: no answer" : "no";
    }

    private static List<String> laidOut(List<List<String>> rows) {
        List<String> head = rows.getFirst();
        int[] widths = new int[head.size()];
        List<List<String>> cells = new ArrayList<>();
        for (List<String> row : rows) {
            List<String> shown =
                    row == head
                            ? head
                            : row.stream()
                                    .map(each -> PlainText.line(each, MOST_CHARACTERS))
                                    .toList();
            cells.add(shown);
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], shown.get(i).length());
            }
        }
        List<String> lines = new ArrayList<>();
        for (List<String> row : cells) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                line.append(row.get(i)).repeat(' ', widths[i] - row.get(i).length()).append(GAP);
            }
            lines.add(line.toString().stripTrailing());
        }
        return lines;
    }
}
