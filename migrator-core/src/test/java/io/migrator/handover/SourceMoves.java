package io.migrator.handover;

import io.migrator.handover.Handover.Source;
import io.migrator.handover.Handover.SourceAction;
import io.migrator.handover.Handover.SourceEvent;
import io.migrator.handover.Handover.SourceStep;
import io.migrator.handover.Move.Kind;
import io.migrator.handover.Move.Sink;
import io.migrator.handover.Rules.Habit;
import io.migrator.handover.World.Call;
import io.migrator.handover.World.Deed;
import io.migrator.handover.World.Deed.ActSource;
import io.migrator.handover.World.Deed.Chore;
import io.migrator.handover.World.Deed.Say;
import io.migrator.handover.World.Deed.WriteSource;
import io.migrator.handover.World.Message;
import io.migrator.handover.World.SourceActor;
import io.migrator.handover.World.SourceCriu;

import java.util.ArrayList;
import java.util.List;

/** What the programs of the source node do by themselves. */
final class SourceMoves {
    private final Rules rules;

    SourceMoves(Rules rules) {
        this.rules = rules;
    }

    void add(World world, Sink sink) {
        criu(world, sink);
        if (!world.sTodo().isEmpty()) {
            deed(world, sink);
            return;
        }
        switch (world.sActor()) {
            case NONE -> {}
            case MIGRATE -> migrate(world, sink);
            case FAREWELL -> farewell(world, sink);
            case RECOVER -> recover(world, sink);
        }
    }

    /** Puts an event of the source to the rules; what follows becomes its work. */
    void event(Draft draft, SourceEvent event) {
        SourceStep step = rules.next(draft.sJournal, event);
        List<Deed> todo = new ArrayList<>();
        if (step.next() != draft.sJournal) {
            todo.add(new WriteSource(step.next()));
        }
        if (step.action() != SourceAction.NOTHING) {
            boolean first = rules.sourceFirst().test(step.action());
            todo.add(first ? 0 : todo.size(), new ActSource(step.action()));
        }
        todo.addAll(chores(event, step));
        draft.sTodo = List.copyOf(todo);
    }

    /** Whoever has let the job run on, or has not begun, ends by asking the target to clean. */
    private static List<Deed> chores(SourceEvent event, SourceStep step) {
        return switch (step.action()) {
            case WAIT -> List.of(Chore.QUIT);
            case THAW -> List.of(Chore.CLEAN);
            case NOTHING ->
                    switch (event) {
                        case PREPARE -> List.of(new Say(Message.PREPARE));
                        case GIVE_UP, TARGET_UNKNOWN -> List.of(Chore.QUIT);
                        default -> List.of();
                    };
            case SEAL, GRANT, ASK, FILL, END, FORGET -> List.of();
        };
    }

    private void criu(World world, Sink sink) {
        if (world.sCriu() != SourceCriu.DUMPING && world.sCriu() != SourceCriu.HOLDING) {
            return;
        }
        Draft draft = world.draft();
        if (!world.sourceListens()) {
            draft.sCriu = SourceCriu.ENDED;
            sink.add(Kind.STEP, "S criu sees its caller dead and lets the job go", draft);
        } else if (world.sCriu() == SourceCriu.DUMPING) {
            draft.sCriu = SourceCriu.HOLDING;
            draft.imaged = true;
            sink.add(Kind.STEP, "S criu holds at post-dump, the images are complete", draft);
        }
    }

    private void deed(World world, Sink sink) {
        Draft draft = world.draft();
        draft.sTodo = World.tail(world.sTodo());
        String what =
                switch (world.sTodo().getFirst()) {
                    case WriteSource(Source state) -> {
                        draft.sJournal = state;
                        yield "S journal: " + (state == Source.RUNNING ? "removed" : state);
                    }
                    case ActSource(SourceAction action) -> act(world, draft, action);
                    case Say(Message message) -> say(draft, message);
                    case Chore chore -> chore(draft, chore);
                    default -> throw new AssertionError(world.sTodo());
                };
        sink.add(Kind.STEP, what, draft);
    }

    private String act(World world, Draft draft, SourceAction action) {
        switch (action) {
            case SEAL -> draft.sealed = draft.tree;
            case GRANT -> say(draft, Message.GRANT);
            case THAW -> {
                if (draft.sCriu == SourceCriu.DUMPING || draft.sCriu == SourceCriu.HOLDING) {
                    draft.sCriu = SourceCriu.ENDED;
                    draft.sTodo = world.sTodo();
                    return "S THAW: criu lets the job go";
                }
                draft.sealed = false;
            }
            case ASK -> {
                draft.sActor = SourceActor.RECOVER;
                draft.call = draft.cut ? Call.BROKEN : Call.ASKED;
            }
            case FILL -> {
                if (draft.sActor == SourceActor.MIGRATE) {
                    return say(draft, Message.MEMORY);
                }
                draft.call = draft.cut ? Call.BROKEN : Call.SENT;
            }
            case END -> {
                draft.tree = false;
                draft.sealed = false;
                draft.sCriu = SourceCriu.ENDED;
            }
            case FORGET -> { // the journal goes when the target has answered
                draft.sTodo = List.of();
                return chore(draft, Chore.TELL);
            }
            case NOTHING, WAIT -> {}
        }
        return "S does " + action;
    }

    private static String say(Draft draft, Message message) {
        if (!draft.broken && draft.tActor == World.TargetActor.RECEIVER) {
            draft.toTarget = World.plus(draft.toTarget, message);
        }
        return "S says " + message;
    }

    private String chore(Draft draft, Chore chore) {
        switch (chore) {
            case CLEAN -> event(draft, SourceEvent.GIVE_UP);
            case TELL -> draft.call = draft.cut ? Call.BROKEN : Call.TOLD;
            case DROP -> draft.sJournal = Source.RUNNING;
            case QUIT -> draft.endSourceActor();
            default -> throw new AssertionError(chore);
        }
        return "S " + chore;
    }

    private void migrate(World world, Sink sink) {
        switch (world.sJournal()) {
            case RUNNING -> step(world, sink, SourceEvent.PREPARE);
            case OPEN -> step(world, sink, SourceEvent.BEGIN);
            case COPYING -> {
                if (world.sCriu() == SourceCriu.NONE) {
                    Draft draft = world.draft();
                    draft.sCriu = SourceCriu.DUMPING;
                    sink.add(Kind.STEP, "S starts criu", draft);
                } else if (world.sCriu() == SourceCriu.HOLDING) {
                    step(world, sink, SourceEvent.HOLD);
                }
            }
            case HELD -> {
                if (world.sCriu() == SourceCriu.HOLDING || rules.has(Habit.SEALS_BLINDLY)) {
                    step(world, sink, SourceEvent.SEAL);
                }
            }
            case SEALED -> hear(world, sink, Message.LOADED, SourceEvent.GRANT);
            case GRANTED -> granted(world, sink);
            case GONE -> gone(world, sink);
        }
        if (world.sJournal().compareTo(Source.SEALED) <= 0) {
            notGranted(world, sink);
        }
    }

    private void notGranted(World world, Sink sink) {
        boolean held = world.sJournal().compareTo(Source.HELD) >= 0;
        if (held && !world.loadSent()) {
            Draft draft = world.draft();
            draft.loadSent = true;
            say(draft, Message.LOAD);
            sink.add(Kind.STEP, "S says LOAD, with the images", draft);
        }
        hear(world, sink, Message.REFUSED, SourceEvent.GIVE_UP);
        boolean blind = held && rules.has(Habit.SEALS_BLINDLY);
        if (world.sourceSeesEnd() || (world.sCriu() == SourceCriu.ENDED && !blind)) {
            step(world, sink, SourceEvent.GIVE_UP);
        }
    }

    private void granted(World world, Sink sink) {
        hear(world, sink, Message.RUNS, SourceEvent.TARGET_RUNS);
        hear(world, sink, Message.FILLS, SourceEvent.TARGET_FILLS);
        hear(world, sink, Message.REFUSED, SourceEvent.TARGET_REFUSED);
        if (world.sourceSeesEnd()) {
            step(world, sink, SourceEvent.GIVE_UP);
        }
    }

    private static void gone(World world, Sink sink) {
        Draft draft = world.draft();
        draft.sActor = world.broken() ? SourceActor.RECOVER : SourceActor.FAREWELL;
        sink.add(
                Kind.STEP,
                world.broken() ? "S finds the line dead" : say(draft, Message.DONE),
                draft);
    }

    private static void farewell(World world, Sink sink) {
        Draft draft = world.draft();
        if (world.sourceHears(Message.FORGOT)) {
            draft.toSource = World.tail(world.toSource());
            draft.sTodo = List.of(Chore.DROP, Chore.QUIT);
            sink.add(Kind.STEP, "S hears FORGOT", draft);
        } else if (world.sourceSeesEnd()) {
            draft.sActor = SourceActor.RECOVER;
            sink.add(Kind.STEP, "S finds the line dead", draft);
        }
    }

    private void recover(World world, Sink sink) {
        Draft draft = world.draft();
        if (world.sJournal() == Source.GONE && world.call() == Call.NONE) {
            draft.sTodo = List.of(Chore.TELL);
            sink.add(Kind.STEP, "S is going to tell the target", draft);
        } else if (world.call().isReply()) {
            draft.call = Call.NONE;
            boolean forgotten = world.call() == Call.FORGOT || world.call() == Call.OTHER_BOOT;
            boolean ran = world.call() == Call.FILLS && !world.hasMemory();
            if (world.sJournal() == Source.GRANTED && ran && !rules.has(Habit.FILLS_BLINDLY)) {
                event(draft, SourceEvent.TAKE_BACK); // a person's, of which only the thaw was done
            } else if (world.sJournal() == Source.GRANTED) {
                event(draft, answered(world.call()));
            } else if (forgotten) {
                draft.sTodo = List.of(Chore.DROP, Chore.QUIT);
            } else if (world.sJournal() == Source.OPEN) {
                event(draft, answered(world.call()));
            } else {
                draft.sTodo = List.of(Chore.QUIT);
            }
            sink.add(Kind.STEP, "S gets the answer " + world.call(), draft);
        }
    }

    private SourceEvent answered(Call answer) {
        return switch (answer) {
            case RUNS -> SourceEvent.TARGET_RUNS;
            case FILLS -> SourceEvent.TARGET_FILLS;
            case REFUSED -> SourceEvent.TARGET_REFUSED;
            case TAKEN ->
                    rules.has(Habit.ENDS_ON_TAKEN)
                            ? SourceEvent.TARGET_RUNS
                            : SourceEvent.TARGET_UNKNOWN;
            default -> SourceEvent.TARGET_UNKNOWN;
        };
    }

    private void hear(World world, Sink sink, Message message, SourceEvent event) {
        if (world.sourceHears(message)) {
            Draft draft = world.draft();
            draft.toSource = World.tail(world.toSource());
            event(draft, event);
            sink.add(Kind.STEP, "S hears " + message + " -> " + event, draft);
        }
    }

    private void step(World world, Sink sink, SourceEvent event) {
        Draft draft = world.draft();
        event(draft, event);
        sink.add(Kind.STEP, "S event " + event, draft);
    }
}
