package io.migrator.cli.bench;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;

import io.migrator.cli.report.Machine;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What a benchmark found, as {@code --json} writes it; the names are promised to programs. A figure
 * that could not be measured is left out.
 *
 * @param noiseFloorMillis the payload's longest gap with nothing going on, median
 * @param cases each with its baseline of the same run
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record Results<C>(Machine machine, @Nullable Double noiseFloorMillis, List<C> cases) {
    static final ObjectMapper JSON = JsonMapper.builder().build();

    static String text(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    void write(Path file) throws Problem {
        ObjectWriter writer = JSON.writerWithDefaultPrettyPrinter();
        try {
            Files.writeString(file, writer.writeValueAsString(this) + "\n");
        } catch (IOException e) {
            throw Problem.failed("could not write " + file).because(e.toString());
        }
    }

    /** To three decimals, or null where nothing was measured. */
    static @Nullable Double figure(double value) {
        return Double.isNaN(value) ? null : Math.round(value * 1000) / 1000.0;
    }
}
