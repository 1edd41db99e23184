package io.migrator.cli.bench;

import com.fasterxml.jackson.databind.JsonNode;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Figures as comma-separated values (RFC 4180): a line for each case, what it has of single values
 * in columns named as in the JSON. What was not measured is empty.
 */
final class Csv {
    private Csv() {}

    /** The whole text. */
    static String of(List<?> cases) {
        List<JsonNode> rows = cases.stream().<JsonNode>map(Results.JSON::valueToTree).toList();
        Set<String> columns = new LinkedHashSet<>();
        for (JsonNode row : rows) {
            row.properties().stream()
                    .filter(field -> field.getValue().isValueNode())
                    .forEach(field -> columns.add(field.getKey()));
        }
        StringBuilder text = new StringBuilder(String.join(",", columns)).append("\r\n");
        for (JsonNode row : rows) {
            text.append(
                    columns.stream()
                            .map(column -> quoted(row.path(column).asText()))
                            .collect(Collectors.joining(",")));
            text.append("\r\n");
        }
        return text.toString();
    }

    private static String quoted(String value) {
        return value.matches("[^\",\r\n]*") ? value : '"' + value.replace("\"", "\"\"") + '"';
    }
}
