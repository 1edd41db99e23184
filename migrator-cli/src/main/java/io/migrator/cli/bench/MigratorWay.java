package io.migrator.cli.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;

import io.migrator.cli.report.DrawnMove;
import io.migrator.cli.report.DrawnTrace;
import io.migrator.problem.Problem;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code migrator migrate}.
 *
 * @param memory how it travels, as {@code --memory} has it
 * @param compress as {@code --compress} has it
 */
record MigratorWay(Site site, String memory, String compress, ByHandWay cleaner) implements Way {
    private static final double NANOS_PER_MILLI = 1e6;

    @Override
    public void start(Payload payload, List<String> options, List<String> words)
            throws Problem, InterruptedException {
        cleaner.start(payload, options, words);
    }

    @Override
    public void prepare(Payload payload) {}

    @Override
    public Told move(Payload payload) throws Problem, InterruptedException {
        long start = System.nanoTime();
        String printed =
                site.exec(
                                site.source(),
                                List.of(
                                        "migrator",
                                        "migrate",
                                        payload.name(),
                                        "--to",
                                        site.target(),
                                        "--memory",
                                        memory,
                                        "--compress",
                                        compress,
                                        "--json"))
                        .orFail("migrator migrate failed")
                        .out();
        double total = (System.nanoTime() - start) / NANOS_PER_MILLI;
        try {
            JsonNode told = Results.JSON.readTree(printed.strip());
            Map<String, Double> phases = new LinkedHashMap<>();
            told.path("phases")
                    .properties()
                    .forEach(e -> phases.put(e.getKey(), e.getValue().asDouble()));
            DrawnMove.Told drawn = drawn(told);
            return new Told(drawn.frozenMillis(), total, phases, drawn);
        } catch (JsonProcessingException e) {
            throw Problem.failed("migrator printed no JSON").because(printed);
        }
    }

    private static DrawnMove.Told drawn(JsonNode told) throws JsonProcessingException {
        List<DrawnMove.Pass> rounds = new ArrayList<>();
        for (JsonNode each : told.path("rounds")) {
            rounds.add(Results.JSON.treeToValue(each, DrawnMove.Pass.class));
        }
        return new DrawnMove.Told(
                told.path("from").asText(),
                told.path("to").asText(),
                told.path("memory").asText(),
                told.path("frozenMillis").asDouble(),
                told.path("totalMillis").asDouble(),
                told.path("memoryBytes").asLong(),
                told.path("inheritedBytes").asLong(),
                told.path("lateBytes").asLong(),
                told.path("sentBytes").asLong(),
                rounds,
                Results.JSON.treeToValue(told.path("trace"), DrawnTrace.class));
    }

    @Override
    public void clean(Payload payload) throws Problem, InterruptedException {
        cleaner.clean(payload);
    }
}
