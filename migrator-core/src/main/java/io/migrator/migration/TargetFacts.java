package io.migrator.migration;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;

import io.migrator.check.Finding;
import io.migrator.instance.ImageIdentity;
import io.migrator.linux.Clocks;
import io.migrator.problem.PlainText;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * A node's answer to a survey. It comes from a peer: nothing in its texts steers a terminal, and
 * none is longer than 8192 characters.
 *
 * @param node its host name
 * @param bootId of this start of it
 * @param kernel release of its kernel, as {@code uname -r} prints it
 * @param criuVersion such as {@code 4.2.1}; empty if there is no usable criu
 * @param criuProblem why there is none; empty if there is
 * @param cpuProblem why the source's CPU state could not be restored here; empty if it could, or if
 *     there is no usable criu
 * @param sameCpu true if criu tells the same of both nodes' processors
 * @param xsaveBytes that the registers of a thread take here; 0 if that is not known
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
        String kernel,
        String criuVersion,
        String criuProblem,
        String cpuProblem,
        boolean sameCpu,
        long xsaveBytes,
        String entryProblem,
        boolean nameTaken,
        @JsonSetter(nulls = Nulls.SET) @Nullable ImageIdentity image,
        long freeSpoolBytes,
        long freeMemoryBytes,
        Map<String, Long> limits,
        List<Finding> network,
        Clocks clocks) {
    private static final int MOST_CHARACTERS = 8192;

    /** Of a host name or a version (uname(2)). */
    private static final int MOST_OF_NAME = 64;

    /**
     * Takes what a node says.
     *
     * @throws NullPointerException if something is missing
     * @throws IllegalArgumentException if a size is negative
     */
    public TargetFacts {
        node = PlainText.line(node, MOST_CHARACTERS); // of an archive it is a path
        bootId = PlainText.line(bootId, MOST_OF_NAME);
        kernel = PlainText.line(kernel, MOST_OF_NAME);
        criuVersion = PlainText.line(criuVersion, MOST_OF_NAME);
        criuProblem = PlainText.line(criuProblem, MOST_CHARACTERS);
        cpuProblem = PlainText.line(cpuProblem, MOST_CHARACTERS);
        entryProblem = PlainText.line(entryProblem, MOST_CHARACTERS);
        if (xsaveBytes < 0 || freeSpoolBytes < 0 || freeMemoryBytes < 0) {
            throw new IllegalArgumentException("a node with less than nothing");
        }
        limits.values().forEach(Objects::requireNonNull);
        limits = Collections.unmodifiableMap(new TreeMap<>(limits));
        network = List.copyOf(network);
        Objects.requireNonNull(clocks);
    }

    /** The answer of what keeps any job, and will say later where it can run. */
    public static TargetFacts ofKeeper(String name, Survey survey) throws Problem {
        return new TargetFacts(
                name,
                NodeFacts.bootId(),
                NodeFacts.kernelRelease(),
                survey.criuVersion(),
                "",
                "",
                true,
                0,
                "",
                false,
                survey.image(),
                Long.MAX_VALUE,
                Long.MAX_VALUE,
                Map.of(),
                List.of(),
                NodeFacts.clocks());
    }
}
