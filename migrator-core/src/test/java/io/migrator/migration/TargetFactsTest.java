package io.migrator.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.migrator.check.Finding;
import io.migrator.linux.Clocks;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.Map;
import java.util.Objects;

/** What a peer may say, as it comes over the wire. */
class TargetFactsTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String CLEAR = "\u001b[2J\u0007\n\u009b";

    private static ObjectNode facts() {
        return JSON.valueToTree(
                new TargetFacts(
                        "n2",
                        "b",
                        "6.18",
                        "4.2.1",
                        "",
                        "",
                        true,
                        2432,
                        "",
                        false,
                        null,
                        1,
                        2,
                        Map.of("open files", 3L),
                        List.of(Finding.forbidden("network", "what", "because", "try")),
                        new Clocks(3, 4)));
    }

    private static TargetFacts told(JsonNode json) throws Exception {
        return Objects.requireNonNull(JSON.treeToValue(json, TargetFacts.class));
    }

    @Test
    void whatIsRightIsTaken() throws Exception {
        ObjectNode said = facts();
        assertEquals(said, JSON.valueToTree(told(said)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "node",
                "bootId",
                "kernel",
                "criuVersion",
                "criuProblem",
                "cpuProblem",
                "entryProblem"
            })
    void noTextSteersATerminalOrHasNoEnd(String field) throws Exception {
        ObjectNode said = facts().put(field, CLEAR + "x".repeat(100_000));
        String text = JSON.valueToTree(told(said)).path(field).asText();
        assertFalse(text.chars().anyMatch(Character::isISOControl), text);
        assertEquals(Math.min(text.length(), 8192), text.length());
        said.putNull(field);
        assertThrows(JsonMappingException.class, () -> told(said));
        said.remove(field);
        assertThrows(JsonMappingException.class, () -> told(said));
    }

    @ParameterizedTest
    @ValueSource(strings = {"check", "what", "because", "tryThis"})
    void norDoesAFinding(String field) throws Exception {
        ObjectNode said = facts();
        ObjectNode finding = (ObjectNode) said.path("network").path(0);
        finding.put(field, CLEAR + "x".repeat(100_000));
        String text = JSON.valueToTree(told(said).network().getFirst()).path(field).asText();
        assertFalse(text.chars().anyMatch(Character::isISOControl), text);
        assertEquals(Math.min(text.length(), 8192), text.length());
        finding.putNull(field);
        assertThrows(JsonMappingException.class, () -> told(said));
    }

    @ParameterizedTest
    @ValueSource(strings = {"xsaveBytes", "freeSpoolBytes", "freeMemoryBytes"})
    void nothingIsLessThanNothing(String field) {
        ObjectNode said = facts().put(field, -1);
        assertThrows(JsonMappingException.class, () -> told(said));
    }

    @ParameterizedTest
    @ValueSource(strings = {"limits", "network", "clocks"})
    void nothingIsMissing(String field) {
        ObjectNode none = facts().putNull(field);
        assertThrows(JsonMappingException.class, () -> told(none));
        ObjectNode hole = facts();
        hole.withArrayProperty("network").addNull();
        assertThrows(JsonMappingException.class, () -> told(hole));
        ObjectNode limit = facts();
        limit.withObjectProperty("limits").putNull("open files");
        assertThrows(JsonMappingException.class, () -> told(limit));
    }
}
