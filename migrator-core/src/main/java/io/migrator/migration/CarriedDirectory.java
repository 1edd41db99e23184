package io.migrator.migration;

import io.migrator.files.RunDirectory;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Path;

/** The run directory of a job on its target, where it is not the source's own. */
final class CarriedDirectory {
    private CarriedDirectory() {}

    /**
     * Makes it, empty, if this node does not see the source's; and leaves the note that tells what
     * is made for the job.
     *
     * @param made gets the reversal
     * @return true if its files are to be carried
     */
    static boolean prepare(Order order, Spool spool, Undo made) throws Problem {
        RunDirectory.Claim claim = order.runDirectory();
        boolean wanted = false;
        if (claim != null && !RunDirectory.isSame(claim)) {
            make(order, claim, made);
            wanted = true;
        }
        try {
            Leftover.of(order.instance(), wanted).writeTo(spool);
            return wanted;
        } catch (IOException e) {
            throw Problem.failed("the target cannot note what it makes").because(e.toString());
        }
    }

    private static void make(Order order, RunDirectory.Claim claim, Undo made) throws Problem {
        RunDirectory directory = new RunDirectory(Path.of(claim.path()));
        if (!directory.equals(RunDirectory.of(order.instance()))) {
            throw Problem.refused("the run directory cannot be carried")
                    .because(directory.path() + " is not where it would be on the target")
                    .tryThis("see that your home directory has the same path on both nodes");
        }
        directory
                .setAside()
                .ifPresent(previous ->
                        made.push(
                                "putting back " + directory.path(),
                                () -> directory.putBack(previous)));
        directory.create();
        made.push("removing " + directory.path(), directory::delete);
    }
}
