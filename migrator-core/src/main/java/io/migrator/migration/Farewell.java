package io.migrator.migration;

import io.migrator.fault.FaultPoint;
import io.migrator.files.GoneFiles;
import io.migrator.handover.SourceJournal;
import io.migrator.instance.Apptainer;
import io.migrator.instance.Instance;
import io.migrator.instance.RunDirectory;

import java.util.ArrayList;
import java.util.List;
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
    void say(
            FrozenSource source,
            SourceJournal journal,
            Spool spool,
            boolean carried,
            JobFiles files) {
        RunDirectory directory = RunDirectory.of(instance.name());
        try (Undo last = new Undo(report)) {
            List<GoneFiles> gone = new ArrayList<>();
            last.pushIfWell(
                    "removing files", // which the target has on its disk now
                    () -> {
                        for (GoneFiles each : gone) {
                            each.remove(report);
                        }
                    });
            last.pushIfWell(
                    "telling the target",
                    () -> {
                        target.done();
                        journal.forget();
                    });
            last.push("removing the images", spool::close); // without them the next is done
            last.push("closing the job's files", files::close); // who has one open keeps it here
            last.push(
                    "reading which files went along",
                    () -> gone.add(GoneFiles.read(spool.directory())));
            if (carried) {
                last.push("removing the run directory", directory::delete);
            }
            last.push("stopping the old instance", () -> Apptainer.stop(instance.name()));
            last.push("at " + FaultPoint.SOURCE_GONE, FaultPoint.SOURCE_GONE::reached);
            last.push("ending the old processes", source::die);
        }
    }
}
