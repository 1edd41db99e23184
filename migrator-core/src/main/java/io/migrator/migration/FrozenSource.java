package io.migrator.migration;

import io.migrator.criu.CriuBundle;
import io.migrator.criu.CriuSession;
import io.migrator.criu.Notify;
import io.migrator.handover.Seal;
import io.migrator.instance.Instance;
import io.migrator.instance.ProcessTree;
import io.migrator.linux.Proc;
import io.migrator.network.NetworkLock;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * The job on its source from the freeze on: held by criu, sealed by the kernel, its connections
 * locked. It ends by {@link #thaw} or {@link #die}; closed before the token was granted it thaws,
 * closed after that it stays sealed. One thread.
 */
final class FrozenSource implements AutoCloseable {
    private static final Duration END = Duration.ofSeconds(30);

    private enum State {
        COPYING,
        SEALED,
        GRANTED,
        ENDED
    }

    private final Instance instance;
    private final ProcessTree tree;
    private final Path dumpLog;
    private final CriuSession dump;
    private final Seal seal;
    private final FreezeWatch freeze;
    private State state = State.COPYING;
    private @Nullable NetworkLock lock;

    private FrozenSource(
            Instance instance,
            ProcessTree tree,
            Path dumpLog,
            CriuSession dump,
            Seal seal,
            FreezeWatch freeze) {
        this.instance = instance;
        this.tree = tree;
        this.dumpLog = dumpLog;
        this.dump = dump;
        this.seal = seal;
        this.freeze = freeze;
    }

    /** Starts criu's dump of the tree; the freeze comes some 30 ms later, when criu is ready. */
    static FrozenSource begin(
            Instance instance, CriuBundle bundle, ProcessTree tree, Path images, Duration timeLimit)
            throws Problem, InterruptedException {
        ProcessTree.Member root = tree.roots().getFirst();
        Seal seal = sealOver(tree);
        FreezeWatch freeze = new FreezeWatch(root.process());
        try {
            CriuSession dump = CriuSession.dump(instance, bundle, images, root.pid(), timeLimit);
            return new FrozenSource(instance, tree, images.resolve("dump.log"), dump, seal, freeze);
        } catch (Problem | InterruptedException e) {
            freeze.close();
            seal.close();
            throw e;
        }
    }

    private static Seal sealOver(ProcessTree tree) throws Problem {
        try {
            return Seal.over(tree.hostPids());
        } catch (IOException e) {
            throw Problem.failed("the job changed while it was looked at")
                    .because(e.getMessage())
                    .tryThis("try again")
                    .causedBy(e);
        }
    }

    /** Waits until the images are complete, and seals the tree at once. */
    void hold(Duration timeLimit) throws Problem, InterruptedException {
        dump.holdAt(Notify.POST_DUMP, timeLimit);
        try {
            seal.set();
        } catch (IOException e) {
            throw Problem.failed("the job could not be sealed").because(e.getMessage());
        }
        state = State.SEALED;
    }

    /**
     * Fails if criu holds a process that is not sealed: one that was forked between the look at the
     * tree and the freeze. Whoever is held is in ptrace-stop; criu's own processes are not.
     */
    void orGrown() throws Problem {
        List<Long> sealed = tree.hostPids();
        for (ProcessTree.Member member : ProcessTree.of(instance).members()) {
            if (!sealed.contains(member.process().pid()) && isHeld(member.process())) {
                throw Problem.failed("the job changed while it was looked at")
                        .because("process %d (%s) came".formatted(member.pid(), member.name()))
                        .tryThis("try again");
            }
        }
    }

    private static boolean isHeld(Proc process) {
        try {
            return process.state() == 't';
        } catch (IOException e) {
            return false; // gone: it cannot run either
        }
    }

    /** What the target needs so that the peers of the job's connections notice nothing. */
    NetworkLock.Table lockTable() throws Problem, InterruptedException {
        NetworkLock found = NetworkLock.ofDump(instance, dumpLog);
        lock = found;
        return found.table();
    }

    /** When the job froze ({@link System#nanoTime}). */
    long frozenNanos() {
        return freeze.frozenNanos();
    }

    /**
     * Fails if criu died at its hold: the seal alone would still keep the job still, but any
     * SIGCONT would then set it going again.
     */
    void orLost() throws Problem, InterruptedException {
        dump.orEnded();
    }

    /** The token is given away: from here the job must not run on here by itself. */
    void granted() {
        state = State.GRANTED;
    }

    /** Lets the job run on here, whether criu lives or not, and whatever else fails. */
    void thaw() throws InterruptedException, Problem {
        boolean sealed = state != State.COPYING;
        state = State.ENDED;
        try {
            if (sealed) {
                dump.finish(false, END);
            }
        } catch (Problem e) {
            // it is closed next, and killed if it does not hear that either
        }
        dump.close();
        try {
            removeLock();
        } finally {
            lift(sealed);
        }
    }

    private void lift(boolean sealed) throws Problem {
        try {
            if (sealed) {
                seal.lift();
            }
        } catch (IOException e) {
            throw Problem.failed("the job could not be resumed").because(e.getMessage());
        } finally {
            release();
        }
    }

    /** Ends the job here: it runs on the target. */
    void die() throws InterruptedException, Problem {
        state = State.ENDED;
        try {
            seal.kill();
            dump.finish(true, END);
        } catch (IOException e) {
            throw Problem.failed("the job's old processes could not be ended")
                    .because(e.getMessage());
        } finally {
            dump.close();
            release();
            removeLock();
        }
    }

    /** criu removes its table where it aborts in order; after a dump, or if it died, we do. */
    private void removeLock() throws Problem, InterruptedException {
        if (lock == null && Files.exists(dumpLog)) {
            lock = NetworkLock.named(instance, dumpLog);
        }
        if (lock != null) {
            lock.delete();
        }
    }

    private void release() {
        freeze.close();
        seal.close();
    }

    /** Thaws if the token is still here. */
    @Override
    public void close() throws InterruptedException, Problem {
        switch (state) {
            case COPYING, SEALED -> thaw();
            case GRANTED -> release();
            case ENDED -> {}
        }
    }
}
