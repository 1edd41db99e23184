package io.migrator.handover;

import io.migrator.handover.Handover.Target;
import io.migrator.handover.Handover.TargetAction;
import io.migrator.handover.Handover.TargetEvent;
import io.migrator.handover.Handover.TargetStep;
import io.migrator.handover.Move.Kind;
import io.migrator.handover.Move.Sink;
import io.migrator.handover.Rules.Habit;
import io.migrator.handover.World.Call;
import io.migrator.handover.World.Deed;
import io.migrator.handover.World.Deed.ActTarget;
import io.migrator.handover.World.Deed.Chore;
import io.migrator.handover.World.Deed.Say;
import io.migrator.handover.World.Deed.WriteTarget;
import io.migrator.handover.World.Job;
import io.migrator.handover.World.Message;
import io.migrator.handover.World.TargetActor;
import io.migrator.handover.World.TargetCriu;

import java.util.ArrayList;
import java.util.List;

/**
 * What the programs of the target node do by themselves; its criu is in {@link TargetCriuMoves}.
 */
final class TargetMoves {
    private final Rules rules;

    TargetMoves(Rules rules) {
        this.rules = rules;
    }

    void add(World world, Sink sink) {
        if (!world.tTodo().isEmpty()) {
            deed(world, sink);
            return;
        }
        switch (world.tActor()) {
            case RECEIVER, RESTORER -> receive(world, sink);
            case RECOVER -> recover(world, sink);
            case NONE, ASKED -> {}
        }
    }

    /** A source of another boot will not ask again. */
    private void recover(World world, Sink sink) {
        boolean answered = world.tJournal() == Target.RUNNING || world.tJournal() == Target.REFUSED;
        if (answered && world.sRebooted() && !world.cut()) {
            step(world, sink, TargetEvent.SOURCE_DONE);
        } else {
            Draft draft = world.draft();
            draft.endTargetActor();
            sink.add(Kind.STEP, "T recover ends", draft);
        }
    }

    /** Puts an event of the target to the rules; what follows becomes its work. */
    void event(Draft draft, TargetEvent event) {
        TargetStep step = rules.next(draft.tJournal, event);
        List<Deed> todo = new ArrayList<>();
        if (step.next() != draft.tJournal) {
            todo.add(new WriteTarget(step.next()));
        }
        if (step.action() != TargetAction.NOTHING) {
            boolean first = rules.targetFirst().test(step.action());
            todo.add(first ? 0 : todo.size(), new ActTarget(step.action()));
        }
        todo.addAll(chores(draft, event, step));
        draft.tTodo = List.copyOf(todo);
    }

    private static List<Deed> chores(Draft draft, TargetEvent event, TargetStep step) {
        if (step.action() == TargetAction.EXAMINE) {
            return List.of(Chore.LOOK);
        }
        return switch (draft.tActor) {
            case RECEIVER -> receiverChores(event, step);
            case ASKED -> List.of(Chore.REPLY, Chore.QUIT);
            case RESTORER ->
                    switch (event) {
                        case TAKE_OVER, LOAD -> List.of();
                        case RESUME, RESUME_FILLING -> List.of(Chore.ANSWER);
                        case FOUND_RUN, FOUND_FILLING -> List.of();
                        default -> List.of(Chore.QUIT);
                    };
            case RECOVER, NONE -> List.of();
        };
    }

    private static List<Deed> receiverChores(TargetEvent event, TargetStep step) {
        return switch (event) {
            case LOAD -> List.of(new Say(Message.LOADED));
            case RESUME -> List.of(Chore.ANSWER, new Say(Message.RUNS));
            case RESUME_FILLING -> List.of(Chore.ANSWER, new Say(Message.FILLS));
            case FOUND_RUN, FILLED -> List.of(new Say(Message.RUNS));
            case FOUND_FILLING -> List.of(new Say(Message.FILLS));
            case FOUND_NEVER_RAN -> List.of(new Say(Message.REFUSED));
            case SOURCE_DONE -> List.of(new Say(Message.FORGOT), Chore.QUIT);
            case GIVE_UP ->
                    step.next() == Target.NONE
                            ? List.of(Chore.QUIT)
                            : List.of(new Say(Message.REFUSED));
            case PREPARE, GRANT, TAKE_OVER -> List.of();
        };
    }

    private void deed(World world, Sink sink) {
        Draft draft = world.draft();
        draft.tTodo = World.tail(world.tTodo());
        switch (world.tTodo().getFirst()) {
            case WriteTarget(Target state) -> {
                draft.tJournal = state;
                sink.add(
                        Kind.STEP,
                        "T journal: " + (state == Target.NONE ? "removed" : state),
                        draft);
            }
            case ActTarget(TargetAction action) -> act(world, draft, action, sink);
            case Say(Message message) -> {
                if (!draft.broken && world.sourceListens()) {
                    draft.toSource = World.plus(draft.toSource, message);
                }
                sink.add(Kind.STEP, "T says " + message, draft);
            }
            case Chore chore -> chore(world, draft, chore, sink);
            default -> throw new AssertionError(world.tTodo());
        }
    }

    private static void act(World world, Draft draft, TargetAction action, Sink sink) {
        switch (action) {
            case PREPARE -> draft.job = Job.EMPTY;
            case LET_GO -> {
                if (draft.tCriu == TargetCriu.HOLDING) {
                    draft.tCriu = TargetCriu.GOING;
                }
            }
            case DISCARD -> {
                draft.tCriu = TargetCriu.ENDED;
                draft.job = Job.NONE;
            }
            case EXAMINE -> {
                TargetCriuMoves.settle(world, draft, "T EXAMINE: criu is ended", sink);
                return;
            }
            case NOTHING, FORGET -> {}
        }
        sink.add(Kind.STEP, "T does " + action, draft);
    }

    private void chore(World world, Draft draft, Chore chore, Sink sink) {
        switch (chore) {
            case LOOK -> look(world, draft);
            case ANSWER -> {
                if (draft.tCriu == TargetCriu.PRE_RESUME) {
                    draft.tCriu = TargetCriu.ENDED;
                    draft.job = Job.RUNS;
                }
            }
            case RESTORE -> {
                draft.tCriu = TargetCriu.RESTORING;
                draft.job = Job.HELD;
            }
            case FILL -> fill(world, draft);
            case REPLY -> draft.call = Calls.reply(world, rules);
            case QUIT -> draft.endTargetActor();
            default -> throw new AssertionError(chore);
        }
        sink.add(Kind.STEP, "T " + chore, draft);
    }

    /** Who sends the memory may have died meanwhile, or the line. */
    private void fill(World world, Draft draft) {
        if (world.call() == Call.WORKING) {
            draft.complete = true;
            event(draft, TargetEvent.FILLED);
        } else {
            draft.tTodo = List.of(Chore.QUIT);
        }
    }

    /** A taken job that never ran is given back only to a source that is there. */
    private void look(World world, Draft draft) {
        boolean nobody =
                world.tActor() == TargetActor.RECEIVER
                        ? world.targetSeesEnd()
                        : world.tActor() != TargetActor.ASKED;
        if (world.ran()) {
            event(draft, world.fills() ? TargetEvent.FOUND_FILLING : TargetEvent.FOUND_RUN);
        } else if (nobody && !rules.has(Habit.GIVES_BACK_TO_NOBODY)) {
            boolean again = rules.has(Habit.RESTORES_AGAIN);
            draft.tActor = again ? TargetActor.RESTORER : world.tActor();
            draft.tTodo = List.of(again ? Chore.RESTORE : Chore.QUIT);
        } else {
            event(draft, TargetEvent.FOUND_NEVER_RAN);
        }
    }

    private void receive(World world, Sink sink) {
        TargetCriu criu = world.tCriu();
        switch (world.tJournal()) {
            case NONE -> hear(world, sink, Message.PREPARE, TargetEvent.PREPARE);
            case PREPARED -> {
                if (criu == TargetCriu.NONE && world.targetHears(Message.LOAD)) {
                    Draft draft = world.draft();
                    draft.toTarget = World.tail(world.toTarget());
                    draft.tCriu = TargetCriu.RESTORING;
                    draft.job = Job.HELD;
                    sink.add(Kind.STEP, "T hears LOAD and starts criu", draft);
                } else if (criu == TargetCriu.HOLDING) {
                    step(world, sink, TargetEvent.LOAD);
                }
            }
            case LOADED -> loaded(world, sink);
            case TAKEN -> taken(world, sink);
            case FILLING -> filling(world, sink);
            case RUNNING, REFUSED -> afterwards(world, sink);
        }
        if (world.tJournal().compareTo(Target.LOADED) <= 0) {
            boolean end = world.tActor() == TargetActor.RECEIVER && world.targetSeesEnd();
            if (end || criu == TargetCriu.ENDED) {
                step(world, sink, TargetEvent.GIVE_UP);
            }
        }
    }

    private void taken(World world, Sink sink) {
        switch (world.tCriu()) {
            case HOLDING -> step(world, sink, TargetEvent.LOAD);
            case PRE_RESUME ->
                    step(
                            world,
                            sink,
                            world.fills() ? TargetEvent.RESUME_FILLING : TargetEvent.RESUME);
            case ENDED -> step(world, sink, TargetEvent.GIVE_UP);
            case NONE, RESTORING, GOING -> {}
        }
    }

    private void loaded(World world, Sink sink) {
        if (world.tCriu() == TargetCriu.PRE_RESUME) {
            step(world, sink, TargetEvent.RESUME);
        }
        hear(world, sink, Message.GRANT, TargetEvent.GRANT);
        if (world.tActor() == TargetActor.RESTORER && world.tCriu() == TargetCriu.HOLDING) {
            step(world, sink, TargetEvent.TAKE_OVER);
        }
    }

    private void filling(World world, Sink sink) {
        if (world.tActor() == TargetActor.RESTORER) {
            recover(world, sink);
            return;
        }
        if (world.targetHears(Message.MEMORY)) {
            Draft draft = world.draft();
            draft.toTarget = World.tail(world.toTarget());
            draft.complete = true;
            event(draft, TargetEvent.FILLED);
            sink.add(Kind.STEP, "T hears MEMORY, all is there -> FILLED", draft);
        }
        hear(world, sink, Message.DONE, TargetEvent.SOURCE_DONE);
        endWithLine(world, sink);
    }

    private void afterwards(World world, Sink sink) {
        if (world.tActor() == TargetActor.RESTORER) {
            recover(world, sink);
            return;
        }
        hear(world, sink, Message.DONE, TargetEvent.SOURCE_DONE);
        if (world.tJournal() == Target.REFUSED) {
            hear(world, sink, Message.GRANT, TargetEvent.GRANT);
            ignore(world, sink, Message.LOAD);
        }
        endWithLine(world, sink);
    }

    private static void endWithLine(World world, Sink sink) {
        if (world.targetSeesEnd()) {
            Draft draft = world.draft();
            draft.endTargetActor();
            sink.add(Kind.STEP, "T receiver ends with its line", draft);
        }
    }

    private static void ignore(World world, Sink sink, Message message) {
        if (world.targetHears(message)) {
            Draft draft = world.draft();
            draft.toTarget = World.tail(world.toTarget());
            sink.add(Kind.STEP, "T throws away " + message, draft);
        }
    }

    private void hear(World world, Sink sink, Message message, TargetEvent event) {
        if (world.targetHears(message)) {
            Draft draft = world.draft();
            draft.toTarget = World.tail(world.toTarget());
            event(draft, event);
            sink.add(Kind.STEP, "T hears " + message + " -> " + event, draft);
        }
    }

    private void step(World world, Sink sink, TargetEvent event) {
        Draft draft = world.draft();
        event(draft, event);
        sink.add(Kind.STEP, "T event " + event, draft);
    }
}
