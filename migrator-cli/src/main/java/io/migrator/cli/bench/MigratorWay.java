package io.migrator.cli.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;

import io.migrator.lab.Lab;
import io.migrator.linux.Command.Result;
import io.migrator.problem.Problem;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code migrator migrate}.
 *
 * @param memory how it travels
 */
record MigratorWay(Lab lab, String memory, ByHandWay cleaner) implements Way {
    @Override
    public String name() {
        return "migrator";
    }

    @Override
    public void prepare(Payload payload) {}

    @Override
    public Told move(Payload payload) throws Problem, InterruptedException {
        Result result =
                lab.exec(
                                Pattern.DEADLINE,
                                Pattern.SOURCE,
                                List.of(
                                        "migrator",
                                        "migrate",
                                        payload.name(),
                                        "--to",
                                        Pattern.TARGET,
                                        "--memory",
                                        memory,
                                        "--json"))
                        .orFail("migrator migrate failed");
        try {
            JsonNode told = Results.JSON.readTree(result.out().strip());
            Map<String, Double> phases = new LinkedHashMap<>();
            told.path("phases")
                    .properties()
                    .forEach(e -> phases.put(e.getKey(), e.getValue().asDouble()));
            return new Told(
                    told.path("frozenMillis").asDouble(),
                    told.path("totalMillis").asDouble(),
                    told.path("sentBytes").asLong(),
                    phases);
        } catch (JsonProcessingException e) {
            throw Problem.failed("migrator printed no JSON").because(result.out());
        }
    }

    @Override
    public void clean(Payload payload) throws Problem, InterruptedException {
        cleaner.clean(payload);
    }
}
