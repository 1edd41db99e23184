package io.migrator.cli;

import io.migrator.migration.Candidate;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

/**
 * What came of asking one node whether a job could go there.
 *
 * @param node as it was written
 * @param reached true if it let us in
 * @param candidate what it says, compared with the job; null if it could not be asked
 * @param problem why it could not be asked; null if it could
 */
record NodeAnswer(
        String node, boolean reached, @Nullable Candidate candidate, @Nullable Problem problem) {
    static NodeAnswer of(String node, Candidate candidate) {
        return new NodeAnswer(node, true, candidate, null);
    }

    static NodeAnswer failed(String node, boolean reached, Problem problem) {
        return new NodeAnswer(node, reached, null, problem);
    }

    boolean canGo() {
        return candidate != null && candidate.canTake();
    }
}
