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
import java.nio.file.StandardOpenOption;
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

    /** Refuses files that cannot be written, before anything is measured; null is none. */
    static void orUnwritable(@Nullable Path... files) throws Problem {
        for (Path file : files) {
            try {
                if (file != null) {
                    Files.newOutputStream(
                                    file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)
                            .close();
                }
            } catch (IOException e) {
                throw Problem.usage("the figures cannot be written to " + file)
                        .because(e.toString());
            }
        }
    }

    /**
     * Writes it.
     *
     * @param json file, or null
     * @param csv file for the cases alone, or null
     */
    void write(@Nullable Path json, @Nullable Path csv) throws Problem {
        ObjectWriter writer = JSON.writerWithDefaultPrettyPrinter();
        try {
            if (json != null) {
                Files.writeString(json, writer.writeValueAsString(this) + "\n");
            }
            if (csv != null) {
                Files.writeString(csv, Csv.of(cases));
            }
        } catch (IOException e) {
            throw Problem.failed("the figures could not be written").because(e.toString());
        }
    }

    /** To three decimals, or null where nothing was measured. */
    static @Nullable Double figure(double value) {
        return Double.isNaN(value) ? null : Math.round(value * 1000) / 1000.0;
    }
}
