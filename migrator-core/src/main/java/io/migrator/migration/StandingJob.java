package io.migrator.migration;

import io.migrator.handover.Seal;
import io.migrator.instance.Instance;
import io.migrator.instance.ProcessTree;
import io.migrator.linux.Proc;
import io.migrator.linux.User;
import io.migrator.network.NetworkLock;
import io.migrator.network.RepairMode;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What keeps a job still on its source once criu is gone: sockets in repair mode, criu's network
 * lock, the seal. All of it is the kernel's and outlives every process; all of it may be undone
 * twice. One thread. Owns the seal.
 */
final class StandingJob implements AutoCloseable {
    private final @Nullable Instance instance;
    private final Seal seal;
    private final Path dumpLog;

    /**
     * The job of an instance.
     *
     * @param instance null if it is gone
     */
    StandingJob(@Nullable Instance instance, Seal seal, Path dumpLog) {
        this.instance = instance;
        this.seal = seal;
        this.dumpLog = dumpLog;
    }

    Seal seal() {
        return seal;
    }

    /** Lets the job run on here. criu must have ended. */
    void resume() throws Problem, InterruptedException {
        try {
            RepairMode.off(processes());
        } catch (IOException e) {
            throw Problem.failed("a connection of the job is lost").because(e.getMessage());
        } finally {
            try {
                removeLock();
            } finally {
                lift();
            }
        }
    }

    private void lift() throws Problem {
        try {
            seal.lift();
        } catch (IOException e) {
            throw Problem.failed("the job could not be resumed").because(e.getMessage());
        }
    }

    /** Ends the job here, in silence: it runs on the target. */
    void end() throws Problem, InterruptedException {
        try {
            RepairMode.on(processes());
        } catch (IOException e) {
            throw Problem.failed("the peers of the job's connections may take them for closed")
                    .because(e.getMessage());
        } finally {
            kill();
            removeLock();
        }
    }

    private void kill() throws Problem {
        try {
            seal.kill();
        } catch (IOException e) {
            throw Problem.failed("the job's old processes could not be ended")
                    .because(e.getMessage());
        }
    }

    private List<Proc> processes() throws Problem {
        return instance == null
                ? List.of()
                : ProcessTree.of(instance).members().stream()
                        .map(ProcessTree.Member::process)
                        .toList();
    }

    /**
     * criu removes its table where it aborts in order; after a dump, or if it died, we do. Only
     * root's criu makes one.
     */
    private void removeLock() throws Problem, InterruptedException {
        if (User.isRoot() && Files.exists(dumpLog)) {
            NetworkLock.delete(instance, NetworkLock.nameOf(dumpLog));
        }
    }

    @Override
    public void close() {
        seal.close();
    }
}
