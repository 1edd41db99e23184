package io.migrator.handover;

import io.migrator.handover.Handover.Source;
import io.migrator.handover.Handover.Target;
import io.migrator.handover.World.Call;
import io.migrator.handover.World.Deed;
import io.migrator.handover.World.Job;
import io.migrator.handover.World.Message;
import io.migrator.handover.World.SourceActor;
import io.migrator.handover.World.SourceCriu;
import io.migrator.handover.World.TargetActor;
import io.migrator.handover.World.TargetCriu;

import java.util.List;

/** A world being changed by one micro-step. */
final class Draft {
    Source sJournal = Source.RUNNING;
    SourceActor sActor = SourceActor.MIGRATE;
    List<Deed> sTodo = List.of();
    SourceCriu sCriu = SourceCriu.NONE;
    boolean sealed;
    boolean tree = true;
    boolean imaged;
    boolean movedOn;
    boolean loadSent;
    boolean sRebooted;
    Target tJournal = Target.NONE;
    TargetActor tActor = TargetActor.RECEIVER;
    List<Deed> tTodo = List.of();
    TargetCriu tCriu = TargetCriu.NONE;
    Job job = Job.NONE;
    boolean ran;
    boolean tRebooted;
    List<Message> toTarget = List.of();
    List<Message> toSource = List.of();
    boolean broken;
    boolean cut;
    Call call = Call.NONE;
    boolean person;
    boolean fills;
    boolean complete = true;

    Draft() {}

    Draft(World from) {
        source(from);
        tJournal = from.tJournal();
        tActor = from.tActor();
        tTodo = from.tTodo();
        tCriu = from.tCriu();
        job = from.job();
        ran = from.ran();
        tRebooted = from.tRebooted();
        toTarget = from.toTarget();
        toSource = from.toSource();
        broken = from.broken();
        cut = from.cut();
        call = from.call();
        person = from.person();
        fills = from.fills();
        complete = from.complete();
    }

    private void source(World from) {
        sJournal = from.sJournal();
        sActor = from.sActor();
        sTodo = from.sTodo();
        sCriu = from.sCriu();
        sealed = from.sealed();
        tree = from.tree();
        imaged = from.imaged();
        movedOn = from.movedOn();
        loadSent = from.loadSent();
        sRebooted = from.sRebooted();
    }

    /** The source's process is gone, by itself or killed; nobody waits for an answer any more. */
    void endSourceActor() {
        sActor = SourceActor.NONE;
        sTodo = List.of();
        toSource = List.of();
        call = Call.NONE;
    }

    /** The target's process is gone. What the source sent and it had not read is lost. */
    void endTargetActor() {
        if (tActor == TargetActor.ASKED && call == Call.WORKING) {
            call = Call.BROKEN;
        }
        tActor = TargetActor.NONE;
        tTodo = List.of();
        toTarget = List.of();
    }

    /** The world as it is now; this draft can be used on. What nobody can read is dropped. */
    World world() {
        boolean held = sCriu == SourceCriu.DUMPING || sCriu == SourceCriu.HOLDING;
        boolean sourceExecutes = tree && !sealed && !held;
        boolean listens = sActor == SourceActor.MIGRATE || sActor == SourceActor.FAREWELL;
        return new World(
                sJournal,
                sActor,
                sTodo,
                sCriu,
                sealed,
                tree,
                imaged,
                movedOn || (imaged && sourceExecutes),
                loadSent,
                sRebooted,
                tJournal,
                tActor,
                tTodo,
                tCriu,
                job,
                ran || job == Job.RUNS,
                tRebooted,
                tActor == TargetActor.RECEIVER ? toTarget : List.of(),
                listens ? toSource : List.of(),
                broken,
                cut,
                call,
                person,
                fills,
                complete);
    }
}
