package io.migrator.handover;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;

import io.migrator.handover.Handover.Target;
import io.migrator.handover.Handover.TargetAction;
import io.migrator.handover.Handover.TargetEvent;
import io.migrator.handover.Handover.TargetStep;
import io.migrator.linux.Proc;
import io.migrator.network.NetworkPlan;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.util.Objects;

/**
 * The target's state of one migration, kept in its journal: the only place where it changes. One
 * thread. The journal stays the caller's.
 */
public final class TargetJournal {
    /**
     * Memory of this node that is to be left to a job on its way here.
     *
     * @param bytes as its source says
     * @param millis when it was given, of the system's clock: who comes later yields; 0 if that is
     *     still to be written
     */
    public record Promise(long bytes, long millis) {
        /** Of nothing. */
        static final Promise NONE = new Promise(0, 0);

        /** No process has more. */
        private static final long MOST_BYTES = 1L << 47;

        /** The bytes may come from a peer. */
        public Promise {
            bytes = Math.clamp(bytes, 0, MOST_BYTES);
        }

        /** One that is being given. */
        public static Promise of(long bytes) {
            return new Promise(bytes, 0);
        }

        /** Whether it is written already, and not yet when it was given. */
        public boolean lacksTime() {
            return bytes > 0 && millis == 0;
        }

        /** The same, given then. */
        public Promise at(long when) {
            return new Promise(bytes, when);
        }
    }

    /**
     * What a later process must know to remove what was made for the job, or to say that it runs.
     *
     * @param state that holds
     * @param instance name of the empty instance
     * @param ownsRunDirectory true if the run directory was made for the job
     * @param setAside true if an older one was set aside for it
     * @param appinit of that instance; none until it is started
     * @param receiver the JVM that prepared
     * @param criu what restores the job
     * @param network what becomes of the job's network
     * @param fills true if some of the memory comes after the job was let go
     * @param promise memory that the job will take
     * @param keeper the process that holds the descriptors of the memory that is still to come
     */
    public record Note(
            Target state,
            String instance,
            boolean ownsRunDirectory,
            boolean setAside,
            Running appinit,
            Running receiver,
            Running criu,
            NetworkPlan network,
            boolean fills,
            @JsonSetter(nulls = Nulls.SET) Promise promise,
            Running keeper) {
        /** Those of earlier versions promised nothing. */
        public Note {
            promise = Objects.requireNonNullElse(promise, Promise.NONE);
        }

        /** Of an instance that this process is about to make. */
        public static Note of(
                String instance,
                boolean ownsRunDirectory,
                boolean setAside,
                NetworkPlan network,
                Promise promise)
                throws Problem {
            try {
                Running receiver = Running.of(Proc.self());
                return new Note(
                        Target.NONE,
                        instance,
                        ownsRunDirectory,
                        setAside,
                        Running.NONE,
                        receiver,
                        Running.NONE,
                        network,
                        false,
                        promise,
                        Running.NONE);
            } catch (IOException e) {
                throw Problem.failed("/proc cannot be read").because(e.toString());
            }
        }

        private Note in(Target next) {
            return of(next, appinit, criu, fills, keeper);
        }

        /**
         * That the job runs can be found out again by looking; that all its memory is there cannot,
         * and the source ends its tree by it.
         */
        private boolean canBeFoundOut(Target before) {
            return switch (state) {
                case RUNNING -> before != Target.FILLING;
                case FILLING -> before == Target.TAKEN;
                case NONE, PREPARED, LOADED, TAKEN, REFUSED -> false;
            };
        }

        /** The same with the instance. */
        public Note withInstance(Running started) {
            return of(state, started, criu, fills, keeper);
        }

        /** The same with another promise. */
        public Note with(Promise other) {
            return new Note(
                    state,
                    instance,
                    ownsRunDirectory,
                    setAside,
                    appinit,
                    receiver,
                    criu,
                    network,
                    fills,
                    other,
                    keeper);
        }

        /** The same with criu. */
        public Note with(Running started) {
            return of(state, appinit, started, fills, keeper);
        }

        /** The same of a job some of whose memory comes after it was let go, or of another. */
        public Note withFills(boolean after) {
            return of(state, appinit, criu, after, keeper);
        }

        /** The same with the process that holds the descriptors of the missing memory. */
        public Note withKeeper(Running started) {
            return of(state, appinit, criu, fills, started);
        }

        private Note of(
                Target next, Running first, Running restoring, boolean after, Running keeping) {
            return new Note(
                    next,
                    instance,
                    ownsRunDirectory,
                    setAside,
                    first,
                    receiver,
                    restoring,
                    network,
                    after,
                    promise,
                    keeping);
        }
    }

    private final Journal journal;
    private final Journal.Head head;
    private Note note;

    private TargetJournal(Journal journal, Journal.Head head, Note note) {
        this.journal = journal;
        this.head = head;
        this.note = note;
    }

    /** Writes what is about to be made, before anything is. */
    public static TargetJournal begin(Journal journal, Journal.Head head, Note note)
            throws Problem {
        TargetJournal begun = new TargetJournal(journal, head, note.in(Target.NONE));
        begun.on(TargetEvent.PREPARE);
        return begun;
    }

    /** Reads what an earlier process left. */
    public static TargetJournal read(Journal journal) throws IOException {
        Journal.Contents contents = journal.contents();
        return new TargetJournal(journal, contents.head(), contents.body(Note.class));
    }

    public Journal.Head head() {
        return head;
    }

    public Note note() {
        return note;
    }

    /** The state that holds. */
    public Target state() {
        return note.state;
    }

    /**
     * Decides what to do, and writes the next state unless the action is to be done first: then
     * {@link #done} follows it.
     *
     * @throws Problem if the next state cannot be written; the state is then what it was
     */
    public TargetAction on(TargetEvent event) throws Problem {
        TargetStep step = Handover.next(note.state, event);
        if (step.action() == TargetAction.FORGET) {
            forget();
        } else if (!step.action().isDoneFirst()) {
            write(note.in(step.next()));
        }
        return step.action();
    }

    /** Notes more of what is made, in the same state. */
    public void note(Note more) throws Problem {
        write(more.in(note.state));
    }

    /**
     * Nothing of the job is left here: writes the tombstone. What was ended for want of its memory
     * needs none: it was ended because the source will not ask again.
     */
    public void done() throws Problem {
        if (note.state == Target.FILLING) {
            forget();
        } else {
            write(note.in(Target.REFUSED));
        }
    }

    private void write(Note next) throws Problem {
        if (next.equals(note)) {
            return;
        }
        try {
            journal.write(head, next);
        } catch (Problem e) {
            if (!next.canBeFoundOut(note.state)) {
                throw e;
            }
        }
        note = next;
    }

    private void forget() throws Problem {
        journal.delete();
        note = note.in(Target.NONE);
    }
}
