package io.migrator.cli.bench;

import static io.migrator.cli.bench.Results.figure;

import com.fasterxml.jackson.annotation.JsonInclude;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * One case of {@code bench transport} in its JSON: our stream between fresh processes, the same a
 * second time over the same connection, and ssh.
 *
 * @param ratio MB/s of the fresh stream over that of ssh in the same round, median
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record TransportCase(
        String name,
        long bytes,
        int connections,
        int repeats,
        Side fresh,
        Side warm,
        Side baseline,
        @Nullable Double ratio,
        @Nullable Double ratioMin,
        @Nullable Double ratioMax,
        List<Double> ratios,
        List<String> failures) {

    /** One way of sending; medians. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Side(
            String name,
            int repeats,
            @Nullable Double megabytesPerSecond,
            @Nullable Double megabytesPerSecondMin,
            @Nullable Double megabytesPerSecondMax,
            @Nullable Double nearCpuSecondsPerGigabyte,
            @Nullable Double farCpuSecondsPerGigabyte) {

        static Side of(String name, List<Transfer> transfers) {
            Sample speed = sample(transfers, Transfer::megabytesPerSecond);
            return new Side(
                    name,
                    speed.count(),
                    figure(speed.median()),
                    figure(speed.min()),
                    figure(speed.max()),
                    figure(sample(transfers, Transfer::nearCpuPerGigabyte).median()),
                    figure(sample(transfers, Transfer::farCpuPerGigabyte).median()));
        }
    }

    static Sample sample(List<Transfer> transfers, ToDoubleFunction<Transfer> of) {
        return Sample.of(transfers.stream().mapToDouble(of).boxed().toList());
    }
}
