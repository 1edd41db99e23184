package io.migrator.migration;

import io.migrator.handover.Handover.Target;
import io.migrator.handover.Handover.TargetAction;
import io.migrator.handover.Handover.TargetEvent;
import io.migrator.handover.Journal;
import io.migrator.handover.TargetJournal;
import io.migrator.handover.Token;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * This node as the target of a migration whose receiver is dead, or does not answer: what {@code
 * migrator receive --refuse} does for the source, and {@code migrator recover} here. One thread.
 *
 * @param report told of what could not be removed
 */
public record TargetSide(Consumer<String> report) {
    private static final Duration BUSY = Duration.ofSeconds(60);
    private static final Duration KILLED = Duration.ofSeconds(5);
    private static final int LOOK_MILLIS = 20;

    /** What this node knows of a migration; changes nothing. */
    public FarNode.Answer status(String id, Token token) throws Problem {
        try {
            return answer(checked(Journal.peek(Spool.journals(), id), token).state());
        } catch (NoSuchFileException e) {
            return answer(Target.NONE);
        } catch (IOException e) {
            throw unreadable(id, e);
        }
    }

    /** Gives up, unless the job was let go here. A receiver that is still at it is ended. */
    public FarNode.Answer refuse(String id, Token token) throws Problem, InterruptedException {
        try {
            Optional<Journal> free = Journal.open(Spool.journals(), id);
            if (free.isEmpty()) {
                TargetJournal.Note note = checked(Journal.peek(Spool.journals(), id), token);
                switch (note.state()) {
                    case TAKEN, FILLING, RUNNING -> {
                        return answer(note.state());
                    }
                    case NONE, PREPARED, LOADED, REFUSED -> {
                        note.receiver().kill(KILLED);
                        free = awaitFree(id);
                    }
                }
            }
            try (Journal file = free.get()) {
                checked(file.contents(), token);
                return answer(giveUp(TargetJournal.read(file), true));
            }
        } catch (NoSuchFileException e) {
            return answer(Target.NONE);
        } catch (IOException e) {
            throw unreadable(id, e);
        }
    }

    /** The source has decided: this node need not remember any more. */
    public void done(String id, Token token) throws Problem, InterruptedException {
        status(id, token); // refuses a wrong token before any waiting
        try (Journal file = awaitFree(id).get()) {
            checked(file.contents(), token);
            TargetJournal journal = TargetJournal.read(file);
            TargetRemains remains = new TargetRemains(id, journal.note(), report);
            switch (journal.state()) {
                case RUNNING -> remains.finish();
                case FILLING -> {
                    remains.endCriu();
                    remains.discard(!remains.areLeft()); // it may have been done before
                }
                case REFUSED -> discardAgain(remains);
                case NONE, PREPARED, LOADED, TAKEN -> {
                    return;
                }
            }
            if (remains.areLeft()) {
                throw Problem.failed("something of migration " + id + " could not be removed")
                        .tryThis("migrator recover there");
            }
            if (journal.on(TargetEvent.SOURCE_DONE) == TargetAction.DISCARD) {
                journal.done();
            }
        } catch (NoSuchFileException e) {
            // it does not
        } catch (IOException e) {
            throw unreadable(id, e);
        }
    }

    /**
     * Finishes what a dead receiver began: removes it, or finds out that the job runs.
     *
     * @param asked true if the source asks, which then takes the job back. Nobody else gives a
     *     taken job away: the source's node may be gone
     * @return the state that holds then; TAKEN if the job never ran and nobody asked
     */
    Target giveUp(TargetJournal journal, boolean asked)
            throws Problem, InterruptedException, IOException {
        TargetRemains remains = new TargetRemains(journal.head().id(), journal.note(), report);
        if (journal.state() == Target.REFUSED) {
            discardAgain(remains);
            return journal.state();
        }
        TargetAction action = journal.on(TargetEvent.GIVE_UP);
        if (journal.state() == Target.FILLING && remains.instance() == null) {
            journal.on(TargetEvent.FILLED); // it has ended, and lacks nothing any more
        }
        if (action == TargetAction.EXAMINE) {
            remains.endCriu();
            boolean fills = journal.note().fills();
            TargetEvent found = Examination.of(remains.instance(), remains.images(), fills);
            if (found == TargetEvent.FOUND_NEVER_RAN && !asked) {
                return journal.state();
            }
            action = journal.on(found);
        }
        if (action == TargetAction.DISCARD) {
            remains.endCriu();
            remains.discard(false);
            journal.done();
        } else if (journal.state() == Target.RUNNING) {
            finish(remains);
        }
        return journal.state();
    }

    /** What could not be removed the first time. */
    private static void discardAgain(TargetRemains remains) throws Problem, InterruptedException {
        if (remains.areLeft()) {
            remains.endCriu();
            remains.discard(true);
        }
    }

    /** The job runs here, whatever fails now; the images are left then, and recover tries again. */
    private void finish(TargetRemains remains) throws InterruptedException {
        try {
            remains.finish();
        } catch (IOException | Problem e) {
            report.accept("what is left of the move could not be removed: " + e.getMessage());
        }
    }

    /**
     * The journal of a migration, once whoever is at work on it has ended.
     *
     * @throws IOException if there is none, or another process does not end
     */
    static Journal taken(String id, Token token) throws IOException, Problem, InterruptedException {
        Journal file = awaitFree(id).get();
        boolean ours = false;
        try {
            checked(file.contents(), token);
            ours = true;
            return file;
        } finally {
            if (!ours) {
                file.close();
            }
        }
    }

    /** The job runs and lacks nothing: removes what is left of its move. */
    void finish(TargetJournal journal) throws InterruptedException {
        finish(new TargetRemains(journal.head().id(), journal.note(), report));
    }

    private static TargetJournal.Note checked(Journal.Contents contents, Token token)
            throws IOException, Problem {
        Journal.Head head = contents.head();
        if (head.role() != Journal.Role.TARGET || !head.token().equals(token)) {
            throw Problem.refused("the token is not that of this migration");
        }
        if (!head.targetBoot().equals(NodeFacts.bootId())) {
            throw new IOException("it is of another start of this node");
        }
        return contents.body(TargetJournal.Note.class);
    }

    private static Optional<Journal> awaitFree(String id)
            throws IOException, Problem, InterruptedException {
        long end = System.nanoTime() + BUSY.toNanos();
        Optional<Journal> free = Journal.open(Spool.journals(), id);
        while (free.isEmpty()) {
            if (System.nanoTime() > end) {
                throw new IOException("another process has been at work on it for too long");
            }
            Thread.sleep(LOOK_MILLIS);
            free = Journal.open(Spool.journals(), id);
        }
        return free;
    }

    private static FarNode.Answer answer(Target state) throws Problem {
        return new FarNode.Answer(state, NodeFacts.bootId());
    }

    private static Problem unreadable(String id, IOException e) {
        return Problem.undecided("the journal of migration " + id + " is of no use")
                .because(e.getMessage())
                .causedBy(e);
    }
}
