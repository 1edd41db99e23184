package io.migrator.migration;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;

import io.migrator.check.Finding;
import io.migrator.instance.ImageIdentity;
import io.migrator.linux.Clocks;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Map;

/**
 * A node's answer to a survey.
 *
 * @param node its host name
 * @param bootId of this start of it
 * @param criuVersion such as {@code 4.2.1}; empty if there is no usable criu
 * @param criuProblem why there is none; empty if there is
 * @param cpuProblem why the source's CPU state could not be restored here; empty if it could
 * @param entryProblem why root's help to enter an instance cannot be had here; empty if it can, or
 *     was not asked for
 * @param nameTaken true if an instance of that name runs here
 * @param image the file of the same path here, null if there is none
 * @param freeSpoolBytes room for images
 * @param freeMemoryBytes memory that is free or could be freed (MemAvailable), less what jobs on
 *     their way will take
 * @param limits hard limits that cannot be exceeded here, by the kernel's names
 * @param network why the job's network could not be there
 * @param clocks as they were just before this was sent
 */
public record TargetFacts(
        String node,
        String bootId,
        String criuVersion,
        String criuProblem,
        String cpuProblem,
        String entryProblem,
        boolean nameTaken,
        @JsonSetter(nulls = Nulls.SET) @Nullable ImageIdentity image,
        long freeSpoolBytes,
        long freeMemoryBytes,
        Map<String, Long> limits,
        List<Finding> network,
        Clocks clocks) {}
