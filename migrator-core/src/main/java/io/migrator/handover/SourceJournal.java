package io.migrator.handover;

import io.migrator.handover.Handover.Source;
import io.migrator.handover.Handover.SourceAction;
import io.migrator.handover.Handover.SourceEvent;
import io.migrator.handover.Handover.SourceStep;
import io.migrator.instance.Instance;
import io.migrator.network.NetworkPlan;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Path;

/**
 * The source's state of one migration, kept in its journal: the only place where it changes. One
 * thread. The journal stays the caller's.
 */
public final class SourceJournal {
    /**
     * How the target is reached once more.
     *
     * @param to the node, as the user named it, or a file
     * @param transport which SSH client, or {@link #FILE}
     * @param program migrator on that node
     */
    public record Far(String to, String transport, String program) {
        /** In the place of an SSH client: the target is an archive. */
        public static final String FILE = "archive";

        /** That of an archive. */
        public static Far ofFile(Path file) {
            return new Far(file.toString(), FILE, "");
        }

        /** Whether the target is an archive, which runs no job. */
        public boolean leadsToFile() {
            return transport.equals(FILE);
        }
    }

    /**
     * What a later process must know to let the job run on or to end it.
     *
     * @param state that holds
     * @param instance name
     * @param appinit pid of the instance's pid 1, as seen from the node
     * @param appinitStart its start time
     * @param seal over the tree
     * @param criu what dumps the tree
     * @param far the target
     * @param carries true if the run directory is carried to the target
     * @param network what becomes of the job's network
     */
    public record Note(
            Source state,
            String instance,
            long appinit,
            long appinitStart,
            Seal.Note seal,
            Running criu,
            Far far,
            boolean carries,
            NetworkPlan network) {
        /** Of an instance that is about to be moved. */
        public static Note of(Instance instance, Far far, NetworkPlan network) {
            return new Note(
                    Source.RUNNING,
                    instance.name(),
                    instance.appinit(),
                    instance.startTime(),
                    Seal.Note.NONE,
                    Running.NONE,
                    far,
                    false,
                    network);
        }

        private Note in(Source next) {
            return of(next, seal, criu, carries);
        }

        private Note with(Seal.Note over, Running dumping, boolean carrying) {
            return of(state, over, dumping, carrying);
        }

        private Note of(Source next, Seal.Note over, Running dumping, boolean carrying) {
            return new Note(
                    next, instance, appinit, appinitStart, over, dumping, far, carrying, network);
        }
    }

    private final Journal journal;
    private final Journal.Head head;
    private Note note;

    private SourceJournal(Journal journal, Journal.Head head, Note note) {
        this.journal = journal;
        this.head = head;
        this.note = note;
    }

    /** Writes that a target is about to be asked, before anything is made for the move. */
    public static SourceJournal begin(Journal journal, Journal.Head head, Note note)
            throws Problem {
        SourceJournal begun = new SourceJournal(journal, head, note.in(Source.RUNNING));
        begun.on(SourceEvent.PREPARE);
        return begun;
    }

    /** Reads what an earlier process left. */
    public static SourceJournal read(Journal journal) throws IOException {
        Journal.Contents contents = journal.contents();
        return new SourceJournal(journal, contents.head(), contents.body(Note.class));
    }

    public Journal.Head head() {
        return head;
    }

    public Note note() {
        return note;
    }

    /** The state that holds. */
    public Source state() {
        return note.state;
    }

    /** True if nothing is left to do but to tell the target. */
    public boolean isOnlyToBeTold() {
        return note.state == Source.OPEN || note.state == Source.GONE;
    }

    /** The memory is about to be read; notes what will keep the job still, and what goes along. */
    public void freezing(Seal.Note seal, Running criu, boolean carries) throws Problem {
        note = note.with(seal, criu, carries);
        on(SourceEvent.BEGIN);
    }

    /**
     * The seal is to have more in it than it was planned for. Written before it has: what it stops
     * must be found after a crash.
     */
    public void growing(Seal.Note seal) throws Problem {
        note = note.with(seal, note.criu, note.carries);
        journal.write(head, note);
    }

    /** The job stands still under this seal, which may have more in it than it was planned for. */
    public void sealed(Seal.Note seal) throws Problem {
        note = note.with(seal, note.criu, note.carries);
        on(SourceEvent.SEAL);
    }

    /**
     * Decides what to do, and writes the next state unless the action is to be done first: then
     * {@link #thawed} or {@link #forget} follows it.
     *
     * @throws Problem if the next state cannot be written; the state is then what it was
     */
    public SourceAction on(SourceEvent event) throws Problem {
        SourceStep step = Handover.next(note.state, event);
        if (!step.action().isDoneFirst()) {
            write(note.in(step.next()));
        }
        return step.action();
    }

    private void write(Note next) throws Problem {
        if (next.state == note.state) {
            return;
        }
        try {
            // HELD has the rules of COPYING, and nothing may come between the hold and the seal
            if (next.state != Source.HELD) {
                journal.write(head, next);
            }
        } catch (Problem e) {
            // that the job is gone the target says again, and what runs may be thawed again
            boolean thawed = next.state == Source.OPEN && note.state != Source.RUNNING;
            if (next.state != Source.GONE && !thawed) {
                throw e;
            }
        }
        note = next;
    }

    /** The job runs on here. */
    public void thawed() throws Problem {
        write(note.in(Source.OPEN));
    }

    /** Nothing is left to do for anybody: the journal goes. */
    public void forget() throws Problem {
        journal.delete();
        note = note.in(Source.RUNNING);
    }
}
