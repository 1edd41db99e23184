package io.migrator.check;

import io.migrator.problem.Problem;

import java.util.List;

/**
 * Turns findings into a verdict.
 *
 * @param fates of the files that the job uses, where a target was asked
 */
public record Preflight(List<Finding> findings, List<Fate> fates) {
    /** Of findings alone. */
    public Preflight(List<Finding> findings) {
        this(findings, List.of());
    }

    /** The same, with what becomes of files. */
    public Preflight with(List<Fate> files) {
        return new Preflight(findings, files);
    }

    /** The findings that forbid. */
    public List<Finding> blockers() {
        return findings.stream().filter(Finding::forbids).toList();
    }

    /** The findings that do not. */
    public List<String> warnings() {
        return findings.stream()
                .filter(finding -> !finding.forbids())
                .map(finding -> finding.what() + ": " + finding.because())
                .toList();
    }

    /**
     * Refuses if anything forbids, telling the first in full and how many more there are.
     *
     * @param instance name, for the message
     */
    public void orRefuse(String instance) throws Problem {
        List<Finding> blockers = blockers();
        if (blockers.isEmpty()) {
            return;
        }
        Finding first = blockers.getFirst();
        String more = blockers.size() == 1 ? "" : " (and " + (blockers.size() - 1) + " more)";
        throw Problem.refused(first.what() + more)
                .because(first.because())
                .payload("instance '" + instance + "' runs on as before")
                .tryThis(first.tryThis());
    }
}
