package io.migrator.cli.report;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonUnwrapped;

import org.jspecify.annotations.Nullable;

import java.util.List;

/**
 * One move, as a report draws it.
 *
 * @param name of the case, or of the instance
 * @param gapMillis for which the payload itself saw that it stood still; null if nobody asked it
 * @param silenceMillis for which a client heard nothing; null if there was none
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record DrawnMove(
        String name,
        @JsonUnwrapped Told told,
        @Nullable Double gapMillis,
        @Nullable Double silenceMillis) {

    /** What {@code migrate --json} says of it, as far as it is drawn. */
    public record Told(
            String from,
            String to,
            String memory,
            double frozenMillis,
            double totalMillis,
            long memoryBytes,
            long inheritedBytes,
            long lateBytes,
            long sentBytes,
            List<Pass> rounds,
            @JsonUnwrapped DrawnTrace trace) {}

    /** A pre-copy round. */
    public record Pass(long bytes, long pages, double millis) {}
}
