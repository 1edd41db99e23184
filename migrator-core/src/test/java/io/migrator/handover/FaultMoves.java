package io.migrator.handover;

import io.migrator.handover.Handover.Source;
import io.migrator.handover.Handover.SourceEvent;
import io.migrator.handover.Handover.Target;
import io.migrator.handover.Handover.TargetEvent;
import io.migrator.handover.Move.Kind;
import io.migrator.handover.Move.Sink;
import io.migrator.handover.Rules.Habit;
import io.migrator.handover.World.Call;
import io.migrator.handover.World.Deed.Chore;
import io.migrator.handover.World.Job;
import io.migrator.handover.World.SourceActor;
import io.migrator.handover.World.SourceCriu;
import io.migrator.handover.World.TargetActor;
import io.migrator.handover.World.TargetCriu;

import java.util.List;

/**
 * What befalls the nodes and the line, and what people do: everything no program does by itself.
 */
final class FaultMoves {
    private final Rules rules;
    private final SourceMoves source;
    private final TargetMoves target;

    FaultMoves(Rules rules, SourceMoves source, TargetMoves target) {
        this.rules = rules;
        this.source = source;
        this.target = target;
    }

    void add(World world, Sink sink) {
        kills(world, sink);
        cancels(world, sink);
        line(world, sink);
        reboots(world, sink);
        recovers(world, sink);
        persons(world, sink);
        if (world.job() == Job.RUNS) {
            Draft draft = world.draft();
            draft.job = Job.ENDED;
            sink.add(Kind.JOB_ENDS, "T the job comes to its own end", draft);
        }
    }

    private void kills(World world, Sink sink) {
        if (world.sActor() != SourceActor.NONE) {
            Draft draft = world.draft();
            draft.endSourceActor();
            sink.add(Kind.FAULT, "S " + world.sActor() + " is killed", draft);
        }
        if (world.tActor() != TargetActor.NONE) {
            Draft draft = world.draft();
            draft.endTargetActor();
            sink.add(Kind.FAULT, "T " + world.tActor() + " is killed", draft);
        }
        if (world.sCriu() == SourceCriu.DUMPING || world.sCriu() == SourceCriu.HOLDING) {
            Draft draft = world.draft();
            draft.sCriu = SourceCriu.ENDED;
            sink.add(Kind.FAULT, "S criu is killed", draft);
        }
        if (world.tCriu() != TargetCriu.NONE && world.tCriu() != TargetCriu.ENDED) {
            TargetCriuMoves.settle(
                    world,
                    world.draft(),
                    "T criu is killed",
                    (_, what, to) -> sink.add(Kind.FAULT, what, to));
        }
        if (world.sealed() && rules.has(Habit.SEAL_IS_A_SIGNAL)) {
            Draft draft = world.draft();
            draft.sealed = false;
            sink.add(Kind.FAULT, "S a third party's SIGCONT takes the seal away", draft);
        }
    }

    private void cancels(World world, Sink sink) {
        boolean mayCancel = world.sJournal().compareTo(Source.SEALED) <= 0;
        if (world.sActor() == SourceActor.MIGRATE && world.sTodo().isEmpty() && mayCancel) {
            Draft draft = world.draft();
            source.event(draft, SourceEvent.GIVE_UP);
            sink.add(Kind.FAULT, "S the user cancels", draft);
        }
        boolean mayFail = world.tJournal().compareTo(Target.LOADED) <= 0;
        if (world.tActor() == TargetActor.RECEIVER && world.tTodo().isEmpty() && mayFail) {
            Draft draft = world.draft();
            target.event(draft, TargetEvent.GIVE_UP);
            sink.add(Kind.FAULT, "T the receiver meets a fault of its own", draft);
        }
    }

    /**
     * A cut takes what is on its way; what has arrived, any first part of it, can still be read.
     */
    private static void line(World world, Sink sink) {
        if (world.cut()) {
            Draft draft = world.draft();
            draft.cut = false;
            sink.add(Kind.HEAL, "the line is healed", draft);
            return;
        }
        for (int there = 0; there <= world.toTarget().size(); there++) {
            for (int back = 0; back <= world.toSource().size(); back++) {
                Draft draft = world.draft();
                draft.toTarget = List.copyOf(world.toTarget().subList(0, there));
                draft.toSource = List.copyOf(world.toSource().subList(0, back));
                draft.cut = true;
                draft.broken = true;
                draft.call = world.call().isOpen() ? Call.BROKEN : world.call();
                sink.add(Kind.FAULT, "the line is cut" + arrived(draft), draft);
            }
        }
    }

    private static String arrived(Draft draft) {
        String there = draft.toTarget.isEmpty() ? "" : ", T still has " + draft.toTarget;
        String back = draft.toSource.isEmpty() ? "" : ", S still has " + draft.toSource;
        return there + back;
    }

    private static void reboots(World world, Sink sink) {
        if (!world.sRebooted()) {
            Draft draft = world.draft();
            draft.endSourceActor();
            draft.sJournal = Source.RUNNING;
            draft.sCriu = SourceCriu.ENDED;
            draft.sealed = false;
            draft.tree = false;
            draft.sRebooted = true;
            sink.add(Kind.FAULT, "S the node starts anew", draft);
        }
        if (!world.tRebooted()) {
            Draft draft = world.draft();
            draft.endTargetActor();
            if (draft.call.isOpen()) {
                draft.call = Call.BROKEN;
            }
            draft.tJournal = Target.NONE;
            draft.tCriu = TargetCriu.ENDED;
            draft.job = Job.NONE;
            draft.tRebooted = true;
            sink.add(Kind.FAULT, "T the node starts anew", draft);
        }
    }

    private void recovers(World world, Sink sink) {
        if (world.sActor() == SourceActor.NONE && world.sJournal() != Source.RUNNING) {
            Draft draft = world.draft();
            draft.sActor = SourceActor.RECOVER;
            source.event(draft, SourceEvent.GIVE_UP);
            sink.add(Kind.RECOVER_SOURCE, "S recover finds " + world.sJournal(), draft);
        }
        if (world.tActor() == TargetActor.NONE && world.tJournal() != Target.NONE) {
            Draft draft = world.draft();
            draft.tActor = TargetActor.RECOVER;
            target.event(draft, TargetEvent.GIVE_UP);
            sink.add(Kind.RECOVER_TARGET, "T recover finds " + world.tJournal(), draft);
        }
    }

    private void persons(World world, Sink sink) {
        boolean away = world.tRebooted() || world.cut();
        boolean back =
                world.sJournal().compareTo(Source.OPEN) > 0 && world.sJournal() != Source.GONE;
        if (world.sActor() == SourceActor.NONE && back && away) {
            Draft draft = world.draft();
            draft.person = true;
            draft.sActor = SourceActor.RECOVER;
            source.event(draft, SourceEvent.TAKE_BACK);
            sink.add(Kind.PERSON, "S recover --take-back", draft);
        }
        boolean free = world.tActor() == TargetActor.NONE && world.sRebooted();
        if (free && world.tJournal() == Target.LOADED && world.complete()) {
            Draft draft = world.draft();
            draft.person = true;
            draft.tActor = TargetActor.RESTORER;
            draft.tTodo = List.of(Chore.RESTORE);
            sink.add(Kind.PERSON, "T recover --take-over", draft);
        }
    }
}
