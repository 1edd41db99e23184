package io.migrator.migration;

import io.migrator.memory.Round;

import java.util.List;
import java.util.Map;

/**
 * What a migration did.
 *
 * @param purpose what was to become of the job
 * @param instance name
 * @param from host name of the source
 * @param to host name of the target
 * @param frozenMillis from the freeze of the first thread until the target ran the job, or the
 *     source again
 * @param totalMillis from the call to the end
 * @param rounds of pre-copy; empty if all went while the job stood still
 * @param memoryBytes of the job's pages, each process's counted, and of its images
 * @param inheritedBytes of it that children have of their parents, and that did not travel again
 * @param lateBytes of it that came when the job ran on the target already
 * @param sentBytes that crossed, after compression
 * @param phases milliseconds of each stage
 * @param trace of the same what was done when, on both nodes
 * @param warnings in words
 */
public record Outcome(
        Purpose purpose,
        String instance,
        String from,
        String to,
        double frozenMillis,
        double totalMillis,
        List<Round> rounds,
        long memoryBytes,
        long inheritedBytes,
        long lateBytes,
        long sentBytes,
        Map<Stage, Double> phases,
        Trace trace,
        List<String> warnings) {}
