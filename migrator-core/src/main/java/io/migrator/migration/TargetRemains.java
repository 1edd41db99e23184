package io.migrator.migration;

import io.migrator.files.ArrivingFiles;
import io.migrator.handover.Running;
import io.migrator.handover.TargetJournal;
import io.migrator.instance.Apptainer;
import io.migrator.instance.Instance;
import io.migrator.instance.Instances;
import io.migrator.instance.ProcessTree;
import io.migrator.instance.RunDirectory;
import io.migrator.memory.LateMemory;
import io.migrator.network.NetworkPlan;
import io.migrator.network.RepairMode;
import io.migrator.network.TargetNetwork;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What a dead receiver left on its node, as its journal tells. Every removal may be done again. One
 * thread.
 *
 * @param id of the migration
 * @param report told of what could not be removed
 */
record TargetRemains(String id, TargetJournal.Note note, Consumer<String> report) {
    private static final Duration CRIU_ENDS = Duration.ofSeconds(15);
    private static final Duration KILLED = Duration.ofSeconds(5);

    /** The instance that was started for the job; null if it is gone. */
    @Nullable Instance instance() throws Problem {
        Optional<Instance> found = named();
        return found.isPresent() && isOurs(found.get()) ? found.get() : null;
    }

    private Optional<Instance> named() throws Problem {
        return Instances.ofThisUser().find(note.instance());
    }

    /**
     * A later one of that name is somebody's own. Where the receiver died before it could note
     * which one it had started, it is known by the start script that it was given.
     */
    private boolean isOurs(Instance found) throws Problem {
        return note.appinit().equals(Running.NONE)
                ? EmptyInstance.isOf(found, id)
                : note.appinit().equals(new Running(found.appinit(), found.startTime()));
    }

    /** True as long as something could not be removed: the images are removed last. */
    boolean areLeft() throws Problem {
        return Files.exists(images());
    }

    /** Where the images are, or were. */
    Path images() throws Problem {
        return Spool.parent().resolve(id);
    }

    /** Waits until criu has ended by itself, as it does without a caller; else kills it. */
    void endCriu() throws Problem, InterruptedException {
        try {
            if (!note.criu().awaitEnd(CRIU_ENDS) && !note.criu().kill(KILLED)) {
                throw Problem.undecided("criu does not end")
                        .because("process " + note.criu().pid() + " cannot be killed");
            }
        } catch (IOException e) {
            throw Problem.undecided("criu does not end").because(e.getMessage());
        }
    }

    /**
     * Ends what was restored and removes what was made for it.
     *
     * @param again true if it was done before, but something was left: the run directory may be
     *     that of another run by now, and stays
     */
    void discard(boolean again) throws Problem, InterruptedException {
        Instance instance = instance();
        try (Undo all = new Undo(report)) {
            all.pushIfWell("removing the images", this::removeImages);
            all.push("removing the carried files", () -> ArrivingFiles.remove(id, images()));
            boolean left = instance == null && named().isPresent();
            if (!left || note.network().mode() != NetworkPlan.Mode.OWN) {
                all.push("removing the network", network()::remove);
            }
            if (left) {
                report.accept("another instance '" + note.instance() + "' runs: it is left alone");
                return;
            }
            RunDirectory directory = RunDirectory.of(note.instance());
            if (note.setAside() && !again) {
                all.push("putting back " + directory.path(), directory::putBackPrevious);
            }
            if (note.ownsRunDirectory() && !again) {
                all.push("removing " + directory.path(), directory::delete);
            }
            all.push("ending the keeper", this::endKeepers);
            all.push("stopping the empty instance", () -> Apptainer.stop(note.instance()));
            if (instance != null) {
                all.push("removing the links", () -> network().leave(instance));
            }
        }
    }

    private TargetNetwork network() {
        return new TargetNetwork(note.network(), id);
    }

    /** The job runs here: does what the receiver may not have done. */
    void finish() throws Problem, InterruptedException, IOException {
        endKeepers(); // before all else: nobody reads what they hold
        openNetwork();
        ArrivingFiles.keep(id, images());
        removeImages();
    }

    /** The job runs here: lets it speak, if the receiver did not come to that. */
    void openNetwork() throws Problem, InterruptedException, IOException {
        Instance instance = instance();
        if (instance != null && note.network().keeps()) {
            RepairMode.off(ProcessTree.of(instance).processes()); // where a probe was cut short
        }
        network().finish(instance);
    }

    /** Nothing is to come any more: the kernel lets go of the job's memory. */
    private void endKeepers() throws IOException, Problem, InterruptedException {
        List<Running> keepers = new ArrayList<>(List.of(note.keeper()));
        for (LateMemory.Keeping each : LateMemory.keepersIn(images())) {
            keepers.add(new Running(each.pid(), each.startTime()));
        }
        for (Running each : keepers) {
            if (!each.kill(KILLED)) {
                throw new IOException("process " + each.pid() + " cannot be killed");
            }
        }
    }

    void removeImages() throws Problem, IOException {
        Optional<Spool> spool = Spool.find(id);
        if (spool.isPresent()) {
            spool.get().close();
        }
    }
}
