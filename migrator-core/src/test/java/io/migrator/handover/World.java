package io.migrator.handover;

import io.migrator.handover.Handover.Source;
import io.migrator.handover.Handover.Target;

import java.util.ArrayList;
import java.util.List;

/**
 * Both nodes and the line between them at one moment, for {@link Explorer}. A fact of the kernel
 * (seal, tree, job) outlives every process; an actor is the one process on a node that has the lock
 * of the migration, and what it still has to do dies with it.
 *
 * @param fills true if some of the job's memory comes after it was let go
 * @param complete false as long as the target lacks memory that was to come so late
 */
record World(
        Source sJournal,
        SourceActor sActor,
        List<Deed> sTodo,
        SourceCriu sCriu,
        boolean sealed,
        boolean tree,
        boolean imaged,
        boolean movedOn,
        boolean loadSent,
        boolean sRebooted,
        Target tJournal,
        TargetActor tActor,
        List<Deed> tTodo,
        TargetCriu tCriu,
        Job job,
        boolean ran,
        boolean tRebooted,
        List<Message> toTarget,
        List<Message> toSource,
        boolean broken,
        boolean cut,
        Call call,
        boolean person,
        boolean fills,
        boolean complete) {

    /** Who has the lock on the source: MIGRATE and FAREWELL are one process, the live JVM. */
    enum SourceActor {
        NONE,
        MIGRATE,
        FAREWELL,
        RECOVER
    }

    /**
     * Who has the lock on the target. RESTORER is a person's take-over; ASKED serves the source.
     */
    enum TargetActor {
        NONE,
        RECEIVER,
        RESTORER,
        RECOVER,
        ASKED
    }

    enum SourceCriu {
        NONE,
        DUMPING,
        HOLDING,
        ENDED
    }

    enum TargetCriu {
        NONE,
        RESTORING,
        HOLDING,
        GOING,
        PRE_RESUME,
        ENDED
    }

    /** What there is of the job on the target; EMPTY is the instance without it. */
    enum Job {
        NONE,
        EMPTY,
        HELD,
        HANGING,
        RUNS,
        ENDED
    }

    enum Message {
        PREPARE,
        LOAD,
        GRANT,
        MEMORY,
        DONE,
        LOADED,
        FILLS,
        RUNS,
        REFUSED,
        FORGOT
    }

    /**
     * What the source asks, tells or sends (SENT: the missing memory) by a new connection, and what
     * became of it.
     */
    enum Call {
        NONE,
        ASKED,
        TOLD,
        SENT,
        KILLING,
        WORKING,
        RUNS,
        FILLS,
        REFUSED,
        TAKEN,
        UNKNOWN,
        FORGOT,
        OTHER_BOOT,
        BROKEN;

        boolean isOpen() {
            return this != NONE && compareTo(RUNS) < 0;
        }

        boolean isReply() {
            return compareTo(RUNS) >= 0;
        }
    }

    /** One micro-step that an actor still has to do; a crash falls between any two. */
    sealed interface Deed {
        record WriteSource(Source state) implements Deed {}

        record WriteTarget(Target state) implements Deed {}

        record ActSource(Handover.SourceAction action) implements Deed {}

        record ActTarget(Handover.TargetAction action) implements Deed {}

        record Say(Message message) implements Deed {}

        /** What is no step of the hand-over itself but belongs to doing it. */
        enum Chore implements Deed {
            /** Look whether the job executed here. */
            LOOK,
            /** Answer criu's pre-resume notification. */
            ANSWER,
            /** Restore again from the images. */
            RESTORE,
            /** Take the memory that the source sends by a new connection. */
            FILL,
            /** Answer the source's question by what the journal says. */
            REPLY,
            /** Tell the target by a new connection that it will not be asked again. */
            TELL,
            /** Remove the source's journal: the target has forgotten. */
            DROP,
            /** Have the target remove what it holds. */
            CLEAN,
            /** End this process. */
            QUIT
        }
    }

    /** A migration whose memory is all there before the grant, and one that fills. */
    static List<World> starts() {
        Draft filling = new Draft();
        filling.fills = true;
        filling.complete = false;
        return List.of(new Draft().world(), filling.world());
    }

    boolean sourceExecutes() {
        return tree && !sealed && sCriu != SourceCriu.DUMPING && sCriu != SourceCriu.HOLDING;
    }

    /** The memory of the job as it was when it was let go on the target. */
    boolean hasMemory() {
        return tree && sealed;
    }

    boolean sourceListens() {
        return sActor == SourceActor.MIGRATE || sActor == SourceActor.FAREWELL;
    }

    /** The source reads the end of the first connection, or has waited too long. */
    boolean sourceSeesEnd() {
        return toSource.isEmpty() && (broken || tActor != TargetActor.RECEIVER);
    }

    boolean targetSeesEnd() {
        return toTarget.isEmpty() && (broken || !sourceListens());
    }

    boolean sourceHears(Message message) {
        return !toSource.isEmpty() && toSource.getFirst() == message;
    }

    boolean targetHears(Message message) {
        return !toTarget.isEmpty() && toTarget.getFirst() == message;
    }

    Draft draft() {
        return new Draft(this);
    }

    static <T> List<T> tail(List<T> list) {
        return list.subList(1, list.size()).isEmpty()
                ? List.of()
                : List.copyOf(list.subList(1, list.size()));
    }

    static <T> List<T> plus(List<T> list, T last) {
        List<T> longer = new ArrayList<>(list);
        longer.add(last);
        return List.copyOf(longer);
    }
}
