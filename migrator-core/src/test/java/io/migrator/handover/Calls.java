package io.migrator.handover;

import io.migrator.handover.Handover.Target;
import io.migrator.handover.Handover.TargetEvent;
import io.migrator.handover.Move.Kind;
import io.migrator.handover.Move.Sink;
import io.migrator.handover.Rules.Habit;
import io.migrator.handover.World.Call;
import io.migrator.handover.World.Deed.Chore;
import io.migrator.handover.World.TargetActor;

import java.util.List;

/**
 * How the target serves a new connection of the source: a question, the news that it is done, or
 * the memory that is missing.
 */
final class Calls {
    private final Rules rules;
    private final TargetMoves target;

    Calls(Rules rules, TargetMoves target) {
        this.rules = rules;
        this.target = target;
    }

    void add(World world, Sink sink) {
        switch (world.call()) {
            case ASKED -> answer(world, sink);
            case TOLD -> {
                boolean free = world.tActor() == TargetActor.NONE;
                if (free || world.tActor() == TargetActor.RECEIVER) { // else it waits for the lock
                    answer(world, sink);
                }
            }
            case SENT -> {
                if (world.tActor() == TargetActor.NONE) { // else it waits for the lock
                    fill(world, sink);
                }
            }
            case KILLING -> {
                Draft draft = world.draft();
                draft.call = Call.ASKED;
                if (world.tActor() == TargetActor.RECEIVER) {
                    draft.endTargetActor();
                }
                sink.add(Kind.STEP, "T the receiver is killed for the question", draft);
            }
            default -> {}
        }
    }

    private void answer(World world, Sink sink) {
        Draft draft = world.draft();
        if (world.tRebooted() && !rules.has(Habit.NOTHING_MEANS_REFUSED)) {
            draft.call = Call.OTHER_BOOT;
        } else if (world.tActor() == TargetActor.NONE) {
            draft.tActor = TargetActor.ASKED;
            draft.call = Call.WORKING;
            target.event(
                    draft,
                    world.call() == Call.TOLD ? TargetEvent.SOURCE_DONE : TargetEvent.GIVE_UP);
        } else if (world.call() == Call.TOLD || world.tActor() != TargetActor.RECEIVER) {
            draft.call = Call.UNKNOWN;
        } else {
            draft.call = busy(world.tJournal());
        }
        sink.add(
                Kind.STEP, "T gets " + world.call() + " by a new connection: " + draft.call, draft);
    }

    private static void fill(World world, Sink sink) {
        Draft draft = world.draft();
        if (world.tRebooted()) {
            draft.call = Call.OTHER_BOOT;
        } else {
            draft.tActor = TargetActor.ASKED;
            draft.call = Call.WORKING;
            boolean lacks = world.tJournal() == Target.FILLING;
            draft.tTodo = lacks ? List.of(Chore.FILL) : List.of(Chore.REPLY, Chore.QUIT);
        }
        sink.add(Kind.STEP, "T gets the memory by a new connection: " + draft.call, draft);
    }

    private Call busy(Target journal) {
        return switch (journal) {
            case PREPARED, LOADED ->
                    rules.has(Habit.REFUSES_BESIDE_THE_RECEIVER) ? Call.REFUSED : Call.KILLING;
            case NONE -> Call.UNKNOWN;
            case TAKEN -> Call.TAKEN;
            case FILLING -> Call.FILLS;
            case RUNNING -> Call.RUNS;
            case REFUSED -> Call.REFUSED;
        };
    }

    /** What the source is told when the work on its question is done. */
    static Call reply(World world, Rules rules) {
        if (world.call() != Call.WORKING) {
            return world.call();
        }
        return switch (world.tJournal()) {
            case RUNNING -> Call.RUNS;
            case FILLING -> Call.FILLS;
            case REFUSED -> Call.REFUSED;
            case NONE -> rules.has(Habit.NOTHING_MEANS_REFUSED) ? Call.REFUSED : Call.FORGOT;
            case PREPARED, LOADED, TAKEN -> Call.UNKNOWN;
        };
    }
}
