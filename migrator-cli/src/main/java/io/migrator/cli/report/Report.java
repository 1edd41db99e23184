package io.migrator.cli.report;

import com.fasterxml.jackson.annotation.JsonInclude;

import org.jspecify.annotations.Nullable;

import java.util.List;

/**
 * What is on the page.
 *
 * @param command as it was typed
 * @param noiseFloorMillis the payloads' longest gap with nothing going on, median; null if it was
 *     not measured
 * @param moves time lines
 * @param cases rows of a benchmark; none in the report of one migration
 * @param notes what is to be said of them, in sentences
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Report(
        String title,
        String command,
        String version,
        Machine machine,
        @Nullable Double noiseFloorMillis,
        List<DrawnMove> moves,
        List<?> cases,
        List<String> notes) {}
