package io.migrator.migration;

import io.migrator.handover.Seal;
import io.migrator.instance.Instance;
import io.migrator.instance.ProcessTree;
import io.migrator.linux.Proc;
import io.migrator.network.RepairMode;
import io.migrator.network.SourceNetwork;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.List;

/**
 * What keeps a job still on its source once criu is gone: sockets in repair mode, the network lock,
 * the seal. All of it is the kernel's and outlives every process; all of it may be undone twice.
 * One thread. Owns the seal and the network.
 */
final class StandingJob implements AutoCloseable {
    private final @Nullable Instance instance;
    private final Seal seal;
    private final SourceNetwork network;

    /**
     * The job of an instance.
     *
     * @param instance null if it is gone
     */
    StandingJob(@Nullable Instance instance, Seal seal, SourceNetwork network) {
        this.instance = instance;
        this.seal = seal;
        this.network = network;
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
                network.resume();
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

    /** Ends the job here, in silence unless the peers are to hear it: it runs on the target. */
    void end() throws Problem, InterruptedException {
        try {
            if (!network.closes()) {
                RepairMode.on(processes());
            }
        } catch (IOException e) {
            throw Problem.failed("the peers of the job's connections may take them for closed")
                    .because(e.getMessage());
        } finally {
            kill();
            network.end();
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
        return instance == null ? List.of() : ProcessTree.of(instance).processes();
    }

    @Override
    public void close() {
        seal.close();
        network.close();
    }
}
