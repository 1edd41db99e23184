package io.migrator.migration;

import io.migrator.check.Preflight;
import io.migrator.instance.ImageIdentity;

/**
 * A node to which a job might go.
 *
 * @param facts what it says of itself
 * @param image how the image there relates to the job's
 * @param preflight all that was found, of the source as well
 */
public record Candidate(TargetFacts facts, ImageIdentity.Match image, Preflight preflight) {
    /** How the processor there relates to that of the source. */
    public enum Cpu {
        /** criu tells the same of both. */
        SAME,
        /** It has all that the source's has. */
        FITS,
        LACKS,
        /** There is no usable criu that could compare. */
        UNKNOWN
    }

    /** How the processor there relates to that of the source. */
    public Cpu cpu() {
        if (!facts.criuProblem().isEmpty()) {
            return Cpu.UNKNOWN;
        }
        if (!facts.cpuProblem().isEmpty()) {
            return Cpu.LACKS;
        }
        return facts.sameCpu() ? Cpu.SAME : Cpu.FITS;
    }

    /** Whether nothing forbids it. */
    public boolean canTake() {
        return preflight.blockers().isEmpty();
    }
}
