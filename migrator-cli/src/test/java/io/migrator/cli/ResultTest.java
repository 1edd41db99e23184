package io.migrator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import io.migrator.memory.Round;
import io.migrator.migration.Outcome;
import io.migrator.migration.Purpose;
import io.migrator.migration.Stage;
import io.migrator.migration.Trace;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** The shape of {@code migrate --json}, which sites' scripts build on. */
class ResultTest {

    @Test
    void aMigrationHasTheFieldsThatArePromised() throws JsonProcessingException {
        JsonNode json = json(Result.of(outcome(0)));
        assertEquals(
                List.of(
                        "outcome",
                        "instance",
                        "from",
                        "to",
                        "memory",
                        "rounds",
                        "frozenMillis",
                        "totalMillis",
                        "memoryBytes",
                        "inheritedBytes",
                        "lateBytes",
                        "sentBytes",
                        "phases",
                        "warnings",
                        "trace"),
                names(json));
        assertEquals(
                List.of(
                        "check",
                        "prepare",
                        "precopy",
                        "dump",
                        "load",
                        "network",
                        "handover",
                        "fill",
                        "clean"),
                names(json.get("phases")));
        assertEquals("migrated", json.get("outcome").asText());
        assertEquals("n1", json.get("from").asText());
        assertEquals("n2", json.get("to").asText());
        assertEquals(12.346, json.get("frozenMillis").asDouble());
        assertEquals(1.0, json.get("phases").get("dump").asDouble());
        assertEquals("careful", json.get("warnings").get(0).asText());
        assertEquals(
                "{\"steps\":[{\"side\":\"source\",\"kind\":\"stage\",\"name\":\"check\","
                    + "\"fromMillis\":0.0,\"toMillis\":1.0}],\"job\":["
                    + "{\"side\":\"source\",\"state\":\"runs\",\"fromMillis\":0.0,\"toMillis\":80.0},"
                    + "{\"side\":\"source\",\"state\":\"still\",\"fromMillis\":80.0,\"toMillis\":92.5},"
                    + "{\"side\":\"target\",\"state\":\"runs\",\"fromMillis\":92.5,\"toMillis\":99.0}]}",
                json.get("trace").toString());
        assertEquals("precopy", json.get("memory").asText());
        assertEquals(
                "[{\"bytes\":8192,\"pages\":2,\"millis\":1.25}]", json.get("rounds").toString());
    }

    private static Outcome outcome(long lateBytes) {
        Map<Stage, Double> phases = new EnumMap<>(Stage.class);
        for (Stage stage : Stage.values()) {
            phases.put(stage, 1.00049);
        }
        return new Outcome(
                Purpose.MOVE,
                "job",
                "n1",
                "n2",
                12.3456789,
                99,
                List.of(new Round(8192, 1.25, 0)),
                7,
                2,
                lateBytes,
                5,
                phases,
                new Trace(
                        List.of(new Trace.Part("check", 0, 1)),
                        List.of(),
                        List.of(),
                        new Trace.Part("still", 80.0001, 92.5),
                        null,
                        null),
                List.of("careful"));
    }

    @Test
    void whatFollowedIsSaid() throws JsonProcessingException {
        JsonNode json = json(Result.of(outcome(3)));
        assertEquals("hybrid", json.get("memory").asText());
        assertEquals(3, json.get("lateBytes").asLong());
        assertEquals(2, json.get("inheritedBytes").asLong());
    }

    @Test
    void aProblemIsToldInFourParts() throws JsonProcessingException {
        Problem problem =
                Problem.failed("criu's restore failed")
                        .because("Address already in use")
                        .payload("instance 'job' runs on n1 as before")
                        .tryThis("free the port");
        JsonNode json = json(Result.of("job", problem));
        assertEquals("failed", json.get("outcome").asText());
        assertEquals("job", json.get("instance").asText());
        assertFalse(json.has("to"));
        JsonNode told = json.get("problem");
        assertEquals(List.of("what", "because", "payload", "try"), names(told));
        assertEquals("criu's restore failed", told.get("what").asText());
        assertEquals("Address already in use", told.get("because").asText());
        assertEquals("instance 'job' runs on n1 as before", told.get("payload").asText());
        assertEquals("free the port", told.get("try").asText());
    }

    @ParameterizedTest
    @CsvSource({
        "FAILED, failed",
        "USAGE, refused",
        "REFUSED, refused",
        "UNDECIDED, undecided",
        "LOST, lost",
    })
    void theOutcomeIsOneWordForEachExitCode(ExitCode code, String word)
            throws JsonProcessingException {
        JsonNode json = json(Result.of("job", Problem.of(code, "x", "", "")));
        assertEquals(word, json.get("outcome").asText());
    }

    /** One line, so that it can be the last line of standard output. */
    @Test
    void theObjectIsOneLine() {
        String text = Json.text(Result.of("job", Problem.failed("two\nlines")));
        assertFalse(text.contains("\n"), text);
    }

    private static JsonNode json(Result result) throws JsonProcessingException {
        return new ObjectMapper().readTree(Json.text(result));
    }

    private static List<String> names(JsonNode object) {
        return object.properties().stream().map(Map.Entry::getKey).toList();
    }
}
