package io.migrator.handover;

/**
 * Who may run a job while it changes nodes, as two pure functions. One token stands for the right
 * to execute; it moves by one message, the grant (facts: handover.md section B). Everything that
 * decides about the job goes through here: the live migration, its failures, and {@code migrator
 * recover} after a crash. HandoverTest explores every interleaving of messages, deaths, restarts
 * and cut links over these two functions; docs/handover.md is drawn from them.
 *
 * <p>A step has a next state, which goes into the journal, and an action on the job. Where the
 * action takes something away that only the state could bring back, it is written first; where the
 * action gives up all claims, it is done first: {@link SourceAction#isDoneFirst}, {@link
 * TargetAction#isDoneFirst}. Every action may be done again after a crash.
 */
public final class Handover {
    private Handover() {}

    /** The node the job comes from. */
    public enum Source {
        /** Nothing is under way; the job runs here. No journal says so. */
        RUNNING,
        /** The job runs here; both nodes may hold what was made for its move. */
        OPEN,
        /** criu may be at work on the job; nothing keeps it still but criu. */
        COPYING,
        /** criu holds the whole tree at post-dump. */
        HELD,
        /** The kernel keeps the tree still, whatever dies. */
        SEALED,
        /** The token is given away: the job may not run here by anything this node knows. */
        GRANTED,
        /** The job runs on the target; what is left of it here is ended. */
        GONE
    }

    /** The node the job goes to. */
    public enum Target {
        /** This node knows nothing of the migration. */
        NONE,
        /** An empty instance waits. */
        PREPARED,
        /** The job is there, held before its first instruction. */
        LOADED,
        /** The token is here; criu may have let the job go or not. */
        TAKEN,
        /** The job runs here; some of its memory is still on the source, which stands still. */
        FILLING,
        /** criu has let the job go and all its memory is here: it runs here, or ran. */
        RUNNING,
        /** This node gave up: the job never ran here and never will. A tombstone. */
        REFUSED
    }

    /** What happens to the source. */
    public enum SourceEvent {
        /** A target is about to be asked to prepare. */
        PREPARE,
        /** The memory is about to be read. */
        BEGIN,
        /** criu has come to its post-dump notification. */
        HOLD,
        /** The seal is in force. */
        SEAL,
        /** The target said LOADED and nobody cancelled. */
        GRANT,
        /** A fault, a cancel, or a new start after the death of whoever was at work. */
        GIVE_UP,
        /** The target says that the job was let go there, and has all its memory. */
        TARGET_RUNS,
        /** The target says that the job was let go there, but lacks memory that is here. */
        TARGET_FILLS,
        /** The target says that the job never ran there and never will. */
        TARGET_REFUSED,
        /** The target cannot be asked, or does not know. */
        TARGET_UNKNOWN,
        /** A person takes the risk that the job ran there: {@code recover --take-back}. */
        TAKE_BACK
    }

    /** What happens to the target. */
    public enum TargetEvent {
        /** The source wants to send a job. */
        PREPARE,
        /** criu holds at post-restore; all memory that is to come before the grant is there. */
        LOAD,
        /** The token comes. */
        GRANT,
        /** criu has come to its pre-resume notification; all memory is in its place. */
        RESUME,
        /** The same, and some of the memory is still to come. */
        RESUME_FILLING,
        /** A fault, the source's wish, a lost link, or a new start after a death. */
        GIVE_UP,
        /** Looked at after a crash: the job runs or ran here, with all its memory. */
        FOUND_RUN,
        /** Looked at after a crash: the job runs or ran here, and some memory is still to come. */
        FOUND_FILLING,
        /** Looked at after a crash: no instruction of the job was executed here. */
        FOUND_NEVER_RAN,
        /** All memory is there. */
        FILLED,
        /** The source has decided what this node said, and will not ask again. */
        SOURCE_DONE,
        /** A person vouches for the source's death: {@code recover --take-over}. */
        TAKE_OVER
    }

    /** What the source does to the job. */
    public enum SourceAction {
        NOTHING,
        /** Queue the stop that outlives criu. */
        SEAL,
        /** Send the token. */
        GRANT,
        /** Let the job run on here. */
        THAW,
        /** Ask the target to refuse, which it does unless it has taken. */
        ASK,
        /** Stand still until the target can be asked or a person decides. */
        WAIT,
        /** Send the target the memory that it lacks; the tree stands still. */
        FILL,
        /** Tell the target that it will not be asked again, and remove the journal. */
        FORGET,
        /** End the tree here. */
        END;

        /** True for what is done before the next state is written. */
        public boolean isDoneFirst() {
            return this == THAW || this == FORGET;
        }
    }

    /** What the target does to the job. */
    public enum TargetAction {
        NOTHING,
        /** Start the empty instance. */
        PREPARE,
        /** Answer criu's post-restore hold with yes. */
        LET_GO,
        /** End what was restored and remove what was made for it. */
        DISCARD,
        /** Find out whether the job executed here. */
        EXAMINE,
        /** Remove the journal. */
        FORGET;

        /** True for what is done before the next state is written. */
        public boolean isDoneFirst() {
            return this == DISCARD;
        }
    }

    /** A step of the source. */
    public record SourceStep(Source next, SourceAction action) {}

    /** A step of the target. */
    public record TargetStep(Target next, TargetAction action) {}

    /**
     * The source's rule for an event.
     *
     * @throws IllegalStateException if the event cannot come in this state
     */
    public static SourceStep next(Source state, SourceEvent event) {
        return switch (state) {
            case RUNNING ->
                    switch (event) {
                        case PREPARE -> new SourceStep(Source.OPEN, SourceAction.NOTHING);
                        case GIVE_UP -> new SourceStep(Source.RUNNING, SourceAction.NOTHING);
                        default -> throw noRule(state, event);
                    };
            case OPEN ->
                    switch (event) {
                        case BEGIN -> new SourceStep(Source.COPYING, SourceAction.NOTHING);
                        case GIVE_UP -> new SourceStep(Source.OPEN, SourceAction.ASK);
                        // it runs there only where a person took back what ran there
                        case TARGET_REFUSED, TARGET_RUNS, TARGET_FILLS ->
                                new SourceStep(Source.RUNNING, SourceAction.FORGET);
                        case TARGET_UNKNOWN -> new SourceStep(Source.OPEN, SourceAction.NOTHING);
                        default -> throw noRule(state, event);
                    };
            case COPYING ->
                    event == SourceEvent.HOLD
                            ? new SourceStep(Source.HELD, SourceAction.SEAL)
                            : notGranted(state, event);
            case HELD ->
                    event == SourceEvent.SEAL
                            ? new SourceStep(Source.SEALED, SourceAction.NOTHING)
                            : notGranted(state, event);
            case SEALED ->
                    event == SourceEvent.GRANT
                            ? new SourceStep(Source.GRANTED, SourceAction.GRANT)
                            : notGranted(state, event);
            case GRANTED ->
                    switch (event) {
                        case TARGET_RUNS -> new SourceStep(Source.GONE, SourceAction.END);
                        case TARGET_FILLS -> new SourceStep(Source.GRANTED, SourceAction.FILL);
                        case TARGET_REFUSED, TAKE_BACK ->
                                new SourceStep(Source.OPEN, SourceAction.THAW);
                        case GIVE_UP -> new SourceStep(Source.GRANTED, SourceAction.ASK);
                        case TARGET_UNKNOWN -> new SourceStep(Source.GRANTED, SourceAction.WAIT);
                        default -> throw noRule(state, event);
                    };
            case GONE ->
                    switch (event) {
                        case GIVE_UP -> new SourceStep(Source.GONE, SourceAction.END);
                        default -> throw noRule(state, event);
                    };
        };
    }

    /** While the token is here, giving up needs nobody's leave. */
    private static SourceStep notGranted(Source state, SourceEvent event) {
        return switch (event) {
            case GIVE_UP, TAKE_BACK -> new SourceStep(Source.OPEN, SourceAction.THAW);
            default -> throw noRule(state, event);
        };
    }

    /**
     * The target's rule for an event.
     *
     * @throws IllegalStateException if the event cannot come in this state
     */
    public static TargetStep next(Target state, TargetEvent event) {
        return switch (state) {
            case NONE ->
                    switch (event) {
                        case PREPARE -> new TargetStep(Target.PREPARED, TargetAction.PREPARE);
                        case GIVE_UP, SOURCE_DONE ->
                                new TargetStep(Target.NONE, TargetAction.NOTHING);
                        default -> throw noRule(state, event);
                    };
            case PREPARED ->
                    switch (event) {
                        case LOAD -> new TargetStep(Target.LOADED, TargetAction.NOTHING);
                        case GIVE_UP, GRANT -> new TargetStep(Target.REFUSED, TargetAction.DISCARD);
                        default -> throw noRule(state, event);
                    };
            case LOADED ->
                    switch (event) {
                        case GRANT, TAKE_OVER -> new TargetStep(Target.TAKEN, TargetAction.LET_GO);
                        case GIVE_UP -> new TargetStep(Target.REFUSED, TargetAction.DISCARD);
                        default -> throw noRule(state, event);
                    };
            case TAKEN ->
                    switch (event) {
                        case RESUME, FOUND_RUN ->
                                new TargetStep(Target.RUNNING, TargetAction.NOTHING);
                        case RESUME_FILLING, FOUND_FILLING ->
                                new TargetStep(Target.FILLING, TargetAction.NOTHING);
                        case FOUND_NEVER_RAN ->
                                new TargetStep(Target.REFUSED, TargetAction.DISCARD);
                        case GIVE_UP -> new TargetStep(Target.TAKEN, TargetAction.EXAMINE);
                        default -> throw noRule(state, event);
                    };
            case FILLING ->
                    switch (event) {
                        case FILLED -> new TargetStep(Target.RUNNING, TargetAction.NOTHING);
                        case GIVE_UP -> new TargetStep(Target.FILLING, TargetAction.NOTHING);
                        // a person took the job back: what lacks memory here gets it no more
                        case SOURCE_DONE -> new TargetStep(Target.NONE, TargetAction.DISCARD);
                        default -> throw noRule(state, event);
                    };
            case RUNNING ->
                    switch (event) {
                        case GIVE_UP -> new TargetStep(Target.RUNNING, TargetAction.NOTHING);
                        case SOURCE_DONE -> new TargetStep(Target.NONE, TargetAction.FORGET);
                        default -> throw noRule(state, event);
                    };
            case REFUSED ->
                    switch (event) {
                        case GIVE_UP, GRANT -> new TargetStep(Target.REFUSED, TargetAction.DISCARD);
                        case SOURCE_DONE -> new TargetStep(Target.NONE, TargetAction.FORGET);
                        default -> throw noRule(state, event);
                    };
        };
    }

    private static IllegalStateException noRule(Enum<?> state, Enum<?> event) {
        return new IllegalStateException("no rule for " + event + " in " + state);
    }
}
