package io.migrator.migration;

import io.migrator.handover.Handover.Target;
import io.migrator.handover.SourceJournal;
import io.migrator.instance.Instance;
import io.migrator.instance.Instances;
import io.migrator.instance.ProcessTree;
import io.migrator.migration.SourceSide.Came;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

/** What is said of where a job is, and of what {@code migrator recover} did or would do. */
final class Words {
    private Words() {}

    static String ofSource(Came came, boolean gone, SourceJournal.Note note, boolean dryRun) {
        String there = note.far().to();
        return switch (came) {
            case RUNS_HERE, RUNS_HERE_UNTOLD ->
                    (gone
                                    ? said(
                                            dryRun,
                                            "its instance is gone",
                                            "what was left",
                                            "removed")
                                    : "the job was not handed over: it "
                                            + (dryRun ? "would run" : "runs")
                                            + " on here")
                            + (came == Came.RUNS_HERE ? "" : "; " + there + " could not be told");
            case RUNS_THERE ->
                    said(
                            dryRun,
                            (note.far().leadsToFile() ? "the job is kept in " : "the job runs on ")
                                    + there,
                            "what was left of it here",
                            "ended");
            case RUNS_ON_BOTH ->
                    "TWO COPIES: the job was taken back and runs here, and it runs on " + there;
            case FILLS ->
                    "the job runs on "
                            + there
                            + ", but some of its memory is still here: it stands"
                            + " still here until all of it is there";
            case WAITS ->
                    "the job was given to "
                            + there
                            + ", which does not say what became of it: it is not let go on here";
        };
    }

    static String ofTarget(Target found, Target now, boolean dryRun) {
        if (dryRun && found == Target.TAKEN) {
            return "would look whether the job has run here; if it has not, its source may take it"
                    + " back";
        }
        if (now == Target.TAKEN) {
            return "the job was given to this node and has not run here; it stands still until its"
                    + " source takes it back";
        }
        if (now == Target.FILLING) {
            return "the job runs here; some of its memory is still on the node it came from";
        }
        return now == Target.RUNNING
                ? "the job runs here; what was left of the move was removed"
                : said(dryRun, "the job never ran here", "what was made for it", "removed");
    }

    static String adviceForSource(Came came, String id, SourceJournal.Note note) {
        String there = note.far().to();
        return switch (came) {
            case WAITS ->
                    "again when %s can be reached; or, only if the job is sure not to run there: %s"
                            .formatted(
                                    there,
                                    "migrator recover --take-back "
                                            + id
                                            + " (if it did run there, its files and its connections"
                                            + " may have moved on, and work is done twice)");
            case RUNS_HERE_UNTOLD -> "again when %s can be reached".formatted(there);
            case RUNS_ON_BOTH ->
                    "end one of them: apptainer instance stop %s, here or on %s"
                            .formatted(note.instance(), there);
            case FILLS -> "again; its processes here must stay as they are until then";
            case RUNS_HERE, RUNS_THERE -> "";
        };
    }

    /** True if nothing is left to be decided, or to be sent. */
    static boolean isDecided(Came came) {
        return switch (came) {
            case RUNS_THERE, RUNS_HERE, RUNS_HERE_UNTOLD -> true;
            case RUNS_ON_BOTH, FILLS, WAITS -> false;
        };
    }

    /** Where the job of a migration is that ended so. */
    static String whereIs(Instance instance, ExitCode exit, String target) throws Problem {
        String here = "instance '" + instance.name() + "' ";
        return switch (exit) {
            case UNDECIDED -> here + "stands still here, sealed; " + target + " may run it";
            case LOST -> here + "is lost";
            case DONE, FAILED, USAGE, REFUSED ->
                    hasJob(instance)
                            ? here + "runs on " + Instances.hostName() + " as before"
                            : here + "holds no process any more: its job ended meanwhile";
        };
    }

    private static boolean hasJob(Instance instance) {
        try {
            return !ProcessTree.of(instance).members().isEmpty();
        } catch (Problem e) {
            return false; // appinit is gone too
        }
    }

    private static String said(boolean dryRun, String why, String what, String done) {
        return why + "; " + what + (dryRun ? " would be " : " was ") + done;
    }
}
