package io.migrator.handover;

import io.migrator.handover.Move.Kind;
import io.migrator.handover.Move.Sink;
import io.migrator.handover.Rules.Habit;
import io.migrator.handover.World.Job;
import io.migrator.handover.World.TargetActor;
import io.migrator.handover.World.TargetCriu;

import java.util.EnumSet;
import java.util.Set;

/** What criu does on the target by itself, when its caller dies, and when it is killed. */
final class TargetCriuMoves {
    private static final Set<TargetActor> CALLERS =
            EnumSet.of(TargetActor.RECEIVER, TargetActor.RESTORER);

    private final Rules rules;

    TargetCriuMoves(Rules rules) {
        this.rules = rules;
    }

    void add(World world, Sink sink) {
        boolean orphan = !CALLERS.contains(world.tActor());
        Draft draft = world.draft();
        switch (world.tCriu()) {
            case RESTORING, HOLDING -> {
                if (orphan) {
                    draft.tCriu = TargetCriu.ENDED;
                    draft.job = Job.EMPTY;
                    sink.add(Kind.STEP, "T criu sees its caller dead and ends the tasks", draft);
                } else if (world.tCriu() == TargetCriu.RESTORING) {
                    draft.tCriu = TargetCriu.HOLDING;
                    sink.add(Kind.STEP, "T criu holds at post-restore", draft);
                }
            }
            case GOING -> {
                draft.tCriu = TargetCriu.PRE_RESUME;
                sink.add(Kind.STEP, "T criu holds at pre-resume", draft);
            }
            case PRE_RESUME -> {
                if (orphan) {
                    boolean ends = rules.has(Habit.CRIU_ENDS_THEM_AT_PRE_RESUME);
                    draft.tCriu = TargetCriu.ENDED;
                    draft.job = ends ? Job.EMPTY : Job.RUNS;
                    sink.add(Kind.STEP, "T criu sees its caller dead and lets the job go", draft);
                }
            }
            case NONE, ENDED -> {}
        }
    }

    /** criu is killed: held tasks hang for ever, those at pre-resume run, between them either. */
    static void settle(World world, Draft draft, String what, Sink sink) {
        draft.tCriu = TargetCriu.ENDED;
        switch (world.tCriu()) {
            case RESTORING, HOLDING -> draft.job = Job.HANGING;
            case PRE_RESUME -> draft.job = Job.RUNS;
            case GOING -> {
                draft.job = Job.RUNS;
                sink.add(Kind.STEP, what + ", the job runs", draft);
                draft.job = Job.EMPTY;
                sink.add(Kind.STEP, what + ", its tasks too", draft);
                draft.job = Job.HANGING;
            }
            case NONE, ENDED -> {}
        }
        sink.add(Kind.STEP, draft.job == Job.HANGING ? what + ", its tasks hang" : what, draft);
    }
}
