package io.migrator.migration;

import io.migrator.handover.Handover.SourceEvent;
import io.migrator.handover.Handover.Target;
import io.migrator.handover.SourceJournal;
import io.migrator.handover.Token;
import io.migrator.memory.PageFeed;
import io.migrator.memory.PostCopy;
import io.migrator.problem.Problem;

import java.util.Objects;

/**
 * The target of a migration as it is asked by another connection than that which brought the job:
 * after a cut link, or by {@code migrator recover}. Each call makes its own connection.
 */
public interface FarNode {
    /**
     * What a target says of a migration.
     *
     * @param state of its journal; NONE if it has none
     * @param bootId of this start of the node
     */
    record Answer(Target state, String bootId) {
        /** Comes from a peer: nothing may be missing. */
        public Answer {
            Objects.requireNonNull(state);
            Objects.requireNonNull(bootId);
        }

        /** What it means to the source. Another start of the node knows nothing of ours. */
        public SourceEvent event(String expectedBoot) {
            if (!bootId.equals(expectedBoot)) {
                return SourceEvent.TARGET_UNKNOWN;
            }
            return switch (state) {
                case RUNNING -> SourceEvent.TARGET_RUNS;
                case FILLING -> SourceEvent.TARGET_FILLS;
                case REFUSED -> SourceEvent.TARGET_REFUSED;
                case NONE, PREPARED, LOADED, TAKEN -> SourceEvent.TARGET_UNKNOWN;
            };
        }

        /** The same where the job runs on the source: what the target does not know, it refused. */
        SourceEvent closing(String expectedBoot) {
            boolean nothing = state == Target.NONE || !bootId.equals(expectedBoot);
            return nothing ? SourceEvent.TARGET_REFUSED : event(expectedBoot);
        }
    }

    /** For the journal: how a later process finds the node. */
    SourceJournal.Far address();

    /** Only looks. */
    Answer status(String id, Token token) throws Problem, InterruptedException;

    /** Asks it to give up, which it does unless the job was let go there. */
    Answer refuse(String id, Token token) throws Problem, InterruptedException;

    /**
     * Sends a job that runs there the memory that it lacks, and returns when it lacks none. May be
     * done again.
     *
     * @param progress told the bytes sent so far
     */
    void fill(String id, Token token, PostCopy memory, PageFeed.Progress progress)
            throws Problem, InterruptedException;

    /** Tells it that the source has decided by its answer and will not ask again. */
    void done(String id, Token token) throws Problem, InterruptedException;
}
