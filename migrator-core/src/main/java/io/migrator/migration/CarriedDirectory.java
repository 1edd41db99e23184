package io.migrator.migration;

import io.migrator.instance.RunDirectory;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The run directory of a job on its target, where it is not the source's own. */
final class CarriedDirectory {
    /** What is to be done. */
    record Found(boolean carries, boolean setAside) {}

    private CarriedDirectory() {}

    /**
     * Sets an older one aside, if this node does not see the source's own.
     *
     * @param made gets the reversal
     * @return whether the source's files are to be carried, and whether an older one was there
     */
    static Found find(Order order, Undo made) throws Problem {
        RunDirectory.Claim claim = order.runDirectory();
        if (claim == null || RunDirectory.isSame(claim)) {
            return new Found(false, false);
        }
        RunDirectory directory = new RunDirectory(Path.of(claim.path()));
        if (!directory.equals(RunDirectory.of(order.instance()))) {
            throw Problem.refused("the run directory cannot be carried")
                    .because(directory.path() + " is not where it would be on the target")
                    .tryThis("see that your home directory has the same path on both nodes");
        }
        boolean setAside = directory.setAside().isPresent();
        if (setAside) {
            made.push("putting back " + directory.path(), directory::putBackPrevious);
        }
        return new Found(true, setAside);
    }

    /** Makes it, empty. */
    static void make(Order order, Undo made) throws Problem {
        RunDirectory directory = RunDirectory.of(order.instance());
        directory.create();
        made.push("removing " + directory.path(), directory::delete);
    }

    /** Fills it, if its files came. */
    static void unpack(Order order, Path images) throws Problem, IOException {
        Path tar = images.resolve(RunDirectory.TAR);
        if (Files.exists(tar)) {
            RunDirectory.of(order.instance()).unpack(tar);
            Files.delete(tar);
        }
    }
}
