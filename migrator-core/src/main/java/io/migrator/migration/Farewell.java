package io.migrator.migration;

import io.migrator.fault.FaultPoint;
import io.migrator.files.LeavingFiles;
import io.migrator.handover.SourceJournal;
import io.migrator.instance.Apptainer;
import io.migrator.instance.Instance;
import io.migrator.instance.RunDirectory;

import java.util.function.Consumer;

/**
 * The end of a job on its source: it runs on the target, and nothing that fails here is more than a
 * warning.
 *
 * @param report told of what could not be done
 */
record Farewell(Instance instance, Target target, Consumer<String> report) {
    /**
     * Ends and removes all of it; the journal goes last, when nothing is left and the target has
     * been told.
     */
    void say(FrozenSource source, SourceJournal journal, Spool spool, boolean carried) {
        RunDirectory directory = RunDirectory.of(instance.name());
        try (Undo last = new Undo(report)) {
            last.pushIfWell(
                    "telling the target",
                    () -> {
                        target.done();
                        journal.forget();
                    });
            last.push("removing the images", spool::close); // without them the next is done
            last.push("removing files", () -> LeavingFiles.remove(spool.directory()));
            if (carried) {
                last.push("removing the run directory", directory::delete);
            }
            last.push("stopping the old instance", () -> Apptainer.stop(instance.name()));
            last.push("at " + FaultPoint.SOURCE_GONE, FaultPoint.SOURCE_GONE::reached);
            last.push("ending the old processes", source::die);
        }
    }
}
