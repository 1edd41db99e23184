package io.migrator.migration;

import io.migrator.files.GoneFiles;
import io.migrator.handover.Handover.Source;
import io.migrator.handover.Handover.SourceAction;
import io.migrator.handover.Handover.SourceEvent;
import io.migrator.handover.Handover.Target;
import io.migrator.handover.Seal;
import io.migrator.handover.SourceJournal;
import io.migrator.instance.Apptainer;
import io.migrator.instance.Instance;
import io.migrator.instance.Instances;
import io.migrator.instance.ProcessTree;
import io.migrator.instance.RunDirectory;
import io.migrator.memory.PostCopy;
import io.migrator.network.SourceNetwork;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * This node as the source of a migration whose process is dead: lets the job run on, ends it, or
 * finds that nobody can tell. One thread; the journal is locked.
 */
final class SourceSide {
    /** What came of it. */
    enum Came {
        /** The target has it. */
        RUNS_THERE,
        /** The job runs on here. */
        RUNS_HERE,
        /** The same, but the target may still hold what was made for it. */
        RUNS_HERE_UNTOLD,
        /** A person took back what ran on the target. */
        RUNS_ON_BOTH,
        /** The job runs on the target, which lacks memory that is here; not yet sent. */
        FILLS,
        /** It stands still here: nobody can tell. */
        WAITS
    }

    private static final Duration CRIU_ENDS = Duration.ofSeconds(15);
    private static final Duration KILLED = Duration.ofSeconds(5);

    private final SourceJournal journal;
    private final SourceJournal.Note note;
    private final String id;
    private final FarNode far;
    private final Consumer<String> report;

    SourceSide(SourceJournal journal, FarNode far, Consumer<String> report) {
        this.journal = journal;
        this.note = journal.note();
        this.id = journal.head().id();
        this.far = far;
        this.report = report;
    }

    /**
     * Does what the state asks for.
     *
     * @param takeBack true if a person takes the risk that the job ran on the target
     */
    Came settle(boolean takeBack) throws Problem, InterruptedException, IOException {
        SourceAction action = journal.on(SourceEvent.GIVE_UP);
        boolean risked = false;
        if (journal.state() == Source.GRANTED) {
            SourceEvent answer = asked();
            boolean forced = takeBack && answer == SourceEvent.TARGET_UNKNOWN;
            // a person's take-back was cut short: the memory is not what the target lacks
            boolean again = answer == SourceEvent.TARGET_FILLS && isLifted();
            risked = forced || again;
            action = journal.on(risked ? SourceEvent.TAKE_BACK : answer);
        }
        return switch (action) {
            case WAIT -> Came.WAITS;
            case FILL -> fill();
            case END -> {
                end();
                yield Came.RUNS_THERE;
            }
            case THAW -> {
                thaw();
                if (risked) { // the peers may have spoken to the other copy
                    SourceNetwork.of(note.network(), instance(), id).reset();
                }
                journal.on(SourceEvent.GIVE_UP);
                yield clean();
            }
            case ASK -> clean();
            case NOTHING, SEAL, GRANT, FORGET -> throw new IllegalStateException(action.name());
        };
    }

    /** The job runs on the target: sends what it lacks, and then ends what is left of it here. */
    private Came fill() throws Problem, InterruptedException, IOException {
        Instance instance = instance();
        Optional<Spool> spool = Spool.find(id);
        if (instance == null || spool.isEmpty()) {
            throw Problem.undecided("memory is lost that the job lacks on " + note.far().to())
                    .because("its processes here have ended")
                    .tryThis("end it there: apptainer instance stop " + note.instance());
        }
        try (PostCopy memory = Following.left(ProcessTree.of(instance), spool.get().directory())) {
            far.fill(id, journal.head().token(), memory, sentBytes -> {});
        } catch (Problem e) {
            report.accept(e.getMessage());
            return Came.FILLS;
        }
        journal.on(SourceEvent.TARGET_RUNS);
        end();
        return Came.RUNS_THERE;
    }

    /** What {@link #settle} would come to; changes nothing. */
    Came foreseen(boolean takeBack) throws InterruptedException {
        return switch (journal.state()) {
            case RUNNING, OPEN, COPYING, HELD, SEALED -> Came.RUNS_HERE;
            case GONE -> Came.RUNS_THERE;
            case GRANTED -> {
                Came unknown = takeBack ? Came.RUNS_HERE : Came.WAITS;
                try {
                    FarNode.Answer answer = far.status(id, journal.head().token());
                    yield answer.bootId().equals(journal.head().targetBoot())
                            ? foreseen(answer.state(), unknown)
                            : unknown;
                } catch (Problem e) {
                    report.accept(e.getMessage());
                    yield unknown;
                }
            }
        };
    }

    private static Came foreseen(Target there, Came unknown) {
        return switch (there) {
            case RUNNING -> Came.RUNS_THERE;
            case FILLING -> Came.FILLS;
            case PREPARED, LOADED, REFUSED -> Came.RUNS_HERE;
            case NONE, TAKEN -> unknown;
        };
    }

    private SourceEvent asked() throws InterruptedException {
        try {
            FarNode.Answer answer = far.refuse(id, journal.head().token());
            if (!answer.bootId().equals(journal.head().targetBoot())) {
                report.accept(
                        note.far().to()
                                + " was started again since: its copy is dead, but may have run");
            }
            return answer.event(journal.head().targetBoot());
        } catch (Problem e) {
            report.accept(e.getMessage());
            return SourceEvent.TARGET_UNKNOWN;
        }
    }

    private boolean isLifted() throws IOException {
        try (Seal seal = Seal.of(note.seal(), Spool.cgroupName(id))) {
            return seal.isLifted();
        }
    }

    private void thaw() throws Problem, InterruptedException, IOException {
        endCriu();
        try (StandingJob job = standing(instance())) {
            job.resume();
        }
        journal.thawed();
    }

    /** The job runs here: what was made for its move goes, here and on the target. */
    private Came clean() throws Problem, InterruptedException, IOException {
        endCriu();
        removeImages();
        SourceNetwork.of(note.network(), instance(), id).resume();
        RunDirectory.of(note.instance()).release(id);
        SourceEvent answer = SourceEvent.TARGET_UNKNOWN;
        try {
            answer = far.refuse(id, journal.head().token()).closing(journal.head().targetBoot());
            if (journal.on(answer) == SourceAction.FORGET) {
                far.done(id, journal.head().token());
                journal.forget();
            }
        } catch (Problem e) {
            report.accept(e.getMessage());
            return Came.RUNS_HERE_UNTOLD;
        }
        return switch (answer) {
            case TARGET_REFUSED -> Came.RUNS_HERE;
            case TARGET_FILLS -> Came.RUNS_HERE; // what lacked memory there was ended
            case TARGET_RUNS -> Came.RUNS_ON_BOTH;
            default -> Came.RUNS_HERE_UNTOLD;
        };
    }

    private void end() throws Problem, InterruptedException, IOException {
        endCriu();
        Instance instance = instance();
        try (StandingJob job = standing(instance)) {
            job.end();
        }
        if (instance != null) {
            Apptainer.stop(note.instance());
        }
        boolean came = Instances.ofThisUser().find(note.instance()).isPresent(); // it is its own
        if (note.carries() && !came && Spool.find(id).isPresent()) { // else it is a later run's
            RunDirectory.of(note.instance()).delete();
        }
        Optional<Spool> spool = Spool.find(id);
        GoneFiles gone =
                spool.isPresent() ? GoneFiles.read(spool.get().directory()) : GoneFiles.NONE;
        removeImages();
        try {
            far.done(id, journal.head().token());
            gone.remove(report);
            journal.forget();
        } catch (Problem e) {
            report.accept(e.getMessage());
        }
    }

    /** Its caller is dead, so it aborts by itself as soon as it looks; else it is killed. */
    private void endCriu() throws Problem, InterruptedException, IOException {
        if (!note.criu().awaitEnd(CRIU_ENDS) && !note.criu().kill(KILLED)) {
            throw Problem.undecided("criu does not end")
                    .because("process " + note.criu().pid() + " cannot be killed");
        }
    }

    private StandingJob standing(@Nullable Instance instance) throws Problem, IOException {
        return new StandingJob(
                instance,
                Seal.of(note.seal(), Spool.cgroupName(id)),
                SourceNetwork.of(note.network(), instance, id));
    }

    /** The instance that the journal speaks of, not a later one of the same name. */
    @Nullable Instance instance() throws Problem {
        Optional<Instance> found = Instances.ofThisUser().find(note.instance());
        return found.filter(instance -> instance.appinit() == note.appinit())
                .filter(instance -> instance.startTime() == note.appinitStart())
                .orElse(null);
    }

    private void removeImages() throws Problem, IOException {
        Optional<Spool> spool = Spool.find(id);
        if (spool.isPresent()) {
            spool.get().close();
        }
    }
}
