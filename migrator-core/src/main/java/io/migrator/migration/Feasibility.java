package io.migrator.migration;

import io.migrator.check.Finding;
import io.migrator.check.Preflight;
import io.migrator.criu.CpuInfo;
import io.migrator.criu.CriuBundle;
import io.migrator.files.FileWish;
import io.migrator.instance.ImageIdentity;
import io.migrator.instance.Instance;
import io.migrator.instance.Instances;
import io.migrator.instance.ProcessTree;
import io.migrator.instance.RunDirectory;
import io.migrator.network.NetworkPlan;
import io.migrator.network.NetworkWish;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Whether a job could go, to one target or to any of several: what is seen of it here is looked at
 * once. Freezes and changes nothing. {@link #on} may be called by several threads.
 */
public final class Feasibility {
    private final Instance instance;
    private final ProcessTree tree;
    private final NetworkChecks network;
    private final Survey survey;
    private final List<Finding> here;

    /** What lies beside the job's files while one target looks must not be seen for another. */
    private final ReentrantLock filesLock = new ReentrantLock();

    private Feasibility(
            Instance instance,
            ProcessTree tree,
            NetworkChecks network,
            Survey survey,
            List<Finding> here) {
        this.instance = instance;
        this.tree = tree;
        this.network = network;
        this.survey = survey;
        this.here = here;
    }

    /**
     * Looks at this node alone.
     *
     * @param id for what lies in memory meanwhile, as a migration has one
     */
    static Feasibility of(Instance instance, String id, NetworkWish wish, MemoryWish memory)
            throws Problem, InterruptedException {
        ProcessTree tree = ProcessTree.of(instance);
        NetworkChecks network = NetworkChecks.of(instance, tree, wish);
        Survey survey = Checks.survey(instance, tree, id, network.needs());
        List<Finding> here =
                new Checks(instance, tree)
                        .source(Spool.freeBytes())
                        .with(network.findings())
                        .with(MemoryChecks.of(instance, memory))
                        .entry()
                        .done()
                        .findings();
        return new Feasibility(instance, tree, network, survey, here);
    }

    /** Looks at this node alone. */
    public static Feasibility of(Instance instance, NetworkWish wish, MemoryWish memory)
            throws Problem, InterruptedException {
        return of(instance, "check" + ProcessHandle.current().pid(), wish, memory);
    }

    /**
     * What this node has.
     *
     * @param node its name
     * @param kernel release, as {@code uname -r} prints it
     * @param xsaveBytes that the registers of a thread take; 0 if that is not known
     */
    public record Here(String node, String kernel, String criuVersion, long xsaveBytes) {}

    /** What this node has, to compare with. */
    public Here node() throws Problem, InterruptedException {
        return new Here(
                Instances.hostName(),
                NodeFacts.kernelRelease(),
                CriuBundle.ofThisNode().version(),
                CpuInfo.xsaveBytes(survey.cpuInfo()));
    }

    /** What the job needs. */
    public Needs needs() {
        return Needs.of(tree);
    }

    /** What was found that has to do with no target. */
    public List<Finding> findings() {
        return here;
    }

    /**
     * All that can be said without a target. It may be that a lock on a file forbids the move,
     * which is a warning here: it goes along where the file does.
     */
    public Preflight alone() {
        List<Finding> all = new ArrayList<>(here);
        for (Finding lock : LockChecks.of(tree, RunDirectory.of(instance.name())::holds)) {
            all.add(Finding.warning(lock.check(), lock.what(), lock.because(), lock.tryThis()));
        }
        return new Preflight(all);
    }

    /** What was chosen for the network; empty if there is nothing to tell, or it cannot go so. */
    public String told() {
        return network.findings().isEmpty() ? network.told() : "";
    }

    NetworkPlan plan() {
        return network.plan();
    }

    ProcessTree tree() {
        return tree;
    }

    Survey survey() {
        return survey;
    }

    /** Asks a target that nothing was asked of before. */
    public Candidate on(Target target, FileWish wish) throws Problem, InterruptedException {
        TargetFacts facts = target.survey(survey);
        filesLock.lockInterruptibly();
        try (JobFiles files = new JobFiles(instance, target, wish)) {
            return judge(facts, files);
        } catch (IOException e) {
            throw Problem.failed("the files of the job were not let go of").because(e.toString());
        } finally {
            filesLock.unlock();
        }
    }

    /**
     * Compares with what a target has said.
     *
     * @param files asked for there
     */
    Candidate judge(TargetFacts facts, JobFiles files) throws Problem, InterruptedException {
        List<Finding> ofFiles = files.look(tree, facts.node());
        RunDirectory runs = RunDirectory.of(instance.name());
        ImageIdentity.Match image = survey.image().match(facts.image());
        Preflight preflight =
                new Checks(instance, tree)
                        .with(ofFiles)
                        .with(here)
                        .with(LockChecks.of(tree, path -> runs.holds(path) || files.carries(path)))
                        .with(TargetChecks.of(survey, facts, image))
                        .done()
                        .with(files.fates());
        return new Candidate(facts, image, preflight);
    }
}
