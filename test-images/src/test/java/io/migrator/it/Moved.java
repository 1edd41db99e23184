package io.migrator.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * How {@code migrator migrate} ended.
 *
 * @param exit its exit code
 * @param json what it printed for scripts; a missing node if nothing
 * @param err what it told a person
 */
record Moved(int exit, JsonNode json, String err) {
    /** It has to have gone well. */
    Moved well() {
        assertEquals(0, exit, err);
        assertEquals("migrated", json.path("outcome").asText(), err);
        assertTrue(json.path("warnings").isEmpty(), json::toString);
        return this;
    }

    /** It has to have failed while the job was under way, and to say that the job runs there. */
    void failedWithJobOn(String node) {
        assertEquals(1, exit, err);
        told("failed");
        assertTrue(err.contains("migrator: state:"), err);
        assertTrue(err.contains("runs on " + node), err);
    }

    /** It has to have been refused with one error, and a remedy. */
    void refused(int code) {
        assertEquals(code, exit, err);
        told("refused");
        assertEquals(1, lines("migrator: try:"), err);
        assertFalse(json.path("problem").path("try").asText().isBlank(), json::toString);
    }

    private void told(String outcome) {
        assertEquals(outcome, json.path("outcome").asText(), err);
        assertEquals(1, lines("migrator: error:"), err);
        assertFalse(err.contains("Exception"), err);
        assertFalse(err.contains("\tat "), err);
    }

    private long lines(String start) {
        return err.lines().filter(line -> line.startsWith(start)).count();
    }
}
