package io.migrator.migration;

import io.migrator.criu.CpuInfo;
import io.migrator.criu.CriuBundle;
import io.migrator.criu.RootEntry;
import io.migrator.instance.ImageIdentity;
import io.migrator.instance.Instances;
import io.migrator.linux.Boot;
import io.migrator.linux.Clocks;
import io.migrator.linux.Limits;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/** What this node can say of itself to a source that wants to send a job here. */
final class NodeFacts {
    private NodeFacts() {}

    /** Answers a survey; what is made for that is gone when this returns. */
    static TargetFacts answer(Survey survey) throws Problem, InterruptedException {
        String version = "";
        String criuProblem = "";
        String cpuProblem = "";
        byte[] cpu = {};
        try (Spool scratch = Spool.create("survey" + ProcessHandle.current().pid())) {
            CriuBundle bundle = CriuBundle.ofThisNode();
            version = bundle.version();
            CpuInfo info = new CpuInfo(bundle);
            cpuProblem = info.problem(survey.cpuInfo(), scratch.directory());
            cpu = info.dump(scratch.directory());
        } catch (IOException e) {
            throw Problem.failed("the survey left something behind").because(e.toString());
        } catch (Problem e) {
            criuProblem = e.getMessage();
        }
        RootEntry.State entry = survey.rootEntry() ? RootEntry.state() : null;
        return new TargetFacts(
                Instances.hostName(),
                bootId(),
                kernelRelease(),
                version,
                criuProblem,
                cpuProblem,
                Arrays.equals(cpu, survey.cpuInfo()),
                CpuInfo.xsaveBytes(cpu),
                entry == null ? "" : entry.problem(),
                Instances.ofThisUser().find(survey.instance()).isPresent(),
                identity(survey.image()),
                Spool.freeBytes(),
                new Promises(Spool.journals()).room(),
                entry == null ? limits() : entry.limits(),
                NetworkAnswers.of(survey.network(), Instances.hostName()),
                clocks());
    }

    private static Map<String, Long> limits() throws Problem {
        try {
            return Limits.bounds();
        } catch (IOException e) {
            throw Problem.failed("the limits on this node are not known").because(e.toString());
        }
    }

    static Clocks clocks() throws Problem {
        try {
            return Clocks.now();
        } catch (IOException e) {
            throw Problem.failed("the clocks of this node are not known").because(e.toString());
        }
    }

    /** The boot id of this node. */
    static String bootId() throws Problem {
        try {
            return Boot.id();
        } catch (IOException e) {
            throw Problem.failed("the boot id of this node is not known").because(e.toString());
        }
    }

    /** The release of this node's kernel. */
    static String kernelRelease() throws Problem {
        try {
            return Boot.kernelRelease();
        } catch (IOException e) {
            throw Problem.failed("the kernel of this node is not known").because(e.toString());
        }
    }

    private static @Nullable ImageIdentity identity(ImageIdentity theirs)
            throws Problem, InterruptedException {
        Path path = Path.of(theirs.path());
        if (!path.isAbsolute() || !Files.exists(path)) {
            return null;
        }
        ImageIdentity ours = ImageIdentity.of(path);
        return ours.sameFile(theirs) || Files.isDirectory(path) ? ours : ours.withDigest();
    }
}
