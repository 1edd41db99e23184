package io.migrator.cli;

import com.fasterxml.jackson.databind.JsonNode;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What {@code migrate --json} said of a migration that succeeded.
 *
 * @param frozenMillis as measured by the source
 * @param memoryBytes of the images
 * @param phases milliseconds by stage, in order
 */
record Move(
        String from,
        String to,
        double frozenMillis,
        double totalMillis,
        long memoryBytes,
        Map<String, Double> phases) {

    /** Reads the object. */
    static Move of(JsonNode told) {
        Map<String, Double> phases = new LinkedHashMap<>();
        told.path("phases")
                .properties()
                .forEach(phase -> phases.put(phase.getKey(), phase.getValue().asDouble()));
        return new Move(
                told.path("from").asText(),
                told.path("to").asText(),
                told.path("frozenMillis").asDouble(),
                told.path("totalMillis").asDouble(),
                told.path("memoryBytes").asLong(),
                phases);
    }
}
