package io.migrator.migration;

import io.migrator.check.Finding;
import io.migrator.check.Preflight;
import io.migrator.criu.CpuInfo;
import io.migrator.criu.CriuBundle;
import io.migrator.criu.CriuRemains;
import io.migrator.criu.RootEntry;
import io.migrator.instance.ImageIdentity;
import io.migrator.instance.Instance;
import io.migrator.instance.ProcessTree;
import io.migrator.instance.ProcessTree.Member;
import io.migrator.linux.Limits;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What is looked for before anything is frozen: the tree must be one that criu can dump whole, and
 * the target must have what its restore needs. Nothing here changes anything.
 */
final class Checks {
    private static final double MEGA = 1e6;

    private final Instance instance;
    private final ProcessTree tree;
    private final List<Finding> findings = new ArrayList<>();

    Checks(Instance instance, ProcessTree tree) {
        this.instance = instance;
        this.tree = tree;
    }

    /** What a target is asked. Leaves nothing behind. */
    static Survey survey(Instance instance, String id, NetworkNeeds network)
            throws Problem, InterruptedException {
        try (Spool scratch = Spool.create(id)) {
            byte[] cpuInfo = new CpuInfo(CriuBundle.ofThisNode()).dump(scratch.directory());
            ImageIdentity image = ImageIdentity.of(instance.image());
            return new Survey(instance.name(), image, cpuInfo, network, byRoot(instance));
        } catch (IOException e) {
            throw Problem.failed("the check left something behind").because(e.toString());
        }
    }

    /** Takes what others have found. */
    Checks with(List<Finding> more) {
        findings.addAll(more);
        return this;
    }

    /**
     * Looks at the source alone; locks, which may go with files, are left to {@link LockChecks}.
     */
    Checks source(long freeSpoolBytes) throws Problem, InterruptedException {
        shape();
        for (String nested : ProcessTree.nested(instance)) {
            findings.add(
                    Finding.forbidden(
                            "nested-pid-namespace",
                            "process " + nested + " is in a pid namespace of its own",
                            "a move would leave it behind, running while the job stands still",
                            "end it, or start it without a sandbox"));
        }
        for (String option : instance.start().unknown()) {
            findings.add(
                    Finding.forbidden(
                            "start-options",
                            "the instance was started with " + option,
                            "that cannot be repeated on another node yet",
                            "start it without " + option));
        }
        findings.addAll(SessionChecks.of(tree));
        findings.addAll(OutsideChecks.of(instance, tree));
        findings.addAll(ResourceChecks.of(tree));
        findings.addAll(SystemVChecks.of(instance, tree));
        findings.addAll(UserChecks.of(instance, tree));
        tree.members().forEach(this::remains);
        long needBytes = Needs.of(tree).spoolBytes();
        if (freeSpoolBytes < needBytes) {
            findings.add(tooLittle("room for images in /dev/shm here", freeSpoolBytes, needBytes));
        }
        return this;
    }

    private void shape() {
        List<Member> roots = tree.roots();
        if (roots.isEmpty()) {
            findings.add(
                    Finding.forbidden(
                            "empty",
                            "the instance has no payload",
                            "nothing but appinit runs in it",
                            "start one with migrator run"));
        } else if (roots.size() > 1) {
            List<String> names = roots.stream().map(Checks::named).toList();
            findings.add(
                    Finding.forbidden(
                            "several-trees",
                            "the instance holds several process trees",
                            "criu dumps one: " + String.join(", ", names),
                            "end all but one, or start them below one parent"));
        }
    }

    private void remains(Member member) {
        try {
            CriuRemains.of(member.process())
                    .ifPresent(left ->
                            findings.add(
                                    new Finding(
                                            left.entered(),
                                            "criu-remains",
                                            "process %s holds %d KB that a criu left in it"
                                                    .formatted(named(member), left.bytes() >> 10),
                                            left.entered()
                                                    ? "a thread still stands in its code,"
                                                            + " not where the program left"
                                                            + " it"
                                                    : "it was killed while it dumped the"
                                                            + " job; they move along and"
                                                            + " do no harm",
                                            left.entered()
                                                    ? "end the job"
                                                    : "nothing need be done")));
        } catch (IOException e) {
            // it ended while we looked
        }
    }

    private static String named(Member member) {
        return member.pid() + " (" + member.name() + ")";
    }

    /** Looks whether root helps to enter the instance here, if it is needed; tries it. */
    Checks entry() throws Problem, InterruptedException {
        if (byRoot(instance)) {
            entry("this node", RootEntry.state().problem());
        }
        return this;
    }

    /** Compares with what the target said. */
    Checks target(TargetFacts facts, String criuVersion, ImageIdentity.Match image) {
        if (byRoot(instance)) {
            entry(facts.node(), facts.entryProblem());
        }
        if (!facts.criuProblem().isEmpty()) {
            findings.add(
                    Finding.forbidden(
                            "criu",
                            "no usable criu on " + facts.node(),
                            facts.criuProblem(),
                            "install criu " + criuVersion + " there"));
        } else if (!facts.criuVersion().equals(criuVersion)) {
            findings.add(
                    Finding.forbidden(
                            "criu",
                            "criu differs: "
                                    + criuVersion
                                    + " here, "
                                    + facts.criuVersion()
                                    + " on "
                                    + facts.node(),
                            "images of one version are not promised to another",
                            "install the same criu on both nodes"));
        }
        if (!facts.cpuProblem().isEmpty()) {
            findings.add(
                    Finding.forbidden(
                            "cpu",
                            "the CPU of " + facts.node() + " lacks what the job may use",
                            facts.cpuProblem(),
                            "choose a node with the same kind of CPU"));
        }
        if (facts.nameTaken()) {
            findings.add(
                    Finding.forbidden(
                            "name",
                            "an instance '" + instance.name() + "' runs on " + facts.node(),
                            "the job could not have its name there",
                            "stop that one, or choose another node"));
        }
        image(facts, image);
        findings.addAll(facts.network());
        tree.members().forEach(member -> limits(member, facts));
        Needs needs = Needs.of(tree);
        if (facts.freeSpoolBytes() < needs.spoolBytes()) {
            findings.add(
                    tooLittle(
                            "room for images in /dev/shm on " + facts.node(),
                            facts.freeSpoolBytes(),
                            needs.spoolBytes()));
        }
        if (facts.freeMemoryBytes() < needs.memoryBytes()) {
            findings.add(
                    tooLittle(
                            "memory on " + facts.node(),
                            facts.freeMemoryBytes(),
                            needs.memoryBytes()));
        }
        return this;
    }

    private static boolean byRoot(Instance instance) {
        return instance.mode() == Instance.Mode.SETUID;
    }

    private void entry(String node, String problem) {
        if (!problem.isEmpty()) {
            findings.add(
                    Finding.forbidden(
                            "root-entry",
                            "root's help to enter the instance cannot be had on " + node,
                            "apptainer's setuid starter made it; " + problem,
                            "let root run `migrator setup` there, or start it with --userns"));
        }
    }

    /** criu sets what it can, and says nothing of what it cannot. */
    private void limits(Member member, TargetFacts facts) {
        try {
            Map<String, Long> ours = Limits.hardOf(member.process());
            facts.limits()
                    .forEach((name, most) -> {
                        if (ours.getOrDefault(name, 0L) > most) {
                            findings.add(
                                    Finding.forbidden(
                                            "limits",
                                            "process %s would have a lower limit on %s (%s)"
                                                    .formatted(named(member), facts.node(), name),
                                            "%s is %s here, the most there is %s"
                                                    .formatted(
                                                            name,
                                                            limit(ours.getOrDefault(name, 0L)),
                                                            limit(most)),
                                            "raise the hard limit there (limits.conf, or that of"
                                                    + " sshd), or lower it here"));
                        }
                    });
        } catch (IOException e) {
            // it ended while we looked
        }
    }

    private static String limit(long value) {
        return value == Limits.UNLIMITED ? "unlimited" : Long.toString(value);
    }

    private void image(TargetFacts facts, ImageIdentity.Match match) {
        switch (match) {
            case ABSENT ->
                    findings.add(
                            Finding.forbidden(
                                    "image",
                                    "the image is not on " + facts.node(),
                                    instance.image() + " does not exist there",
                                    "copy it there, to the same path"));
            case OTHER ->
                    findings.add(
                            Finding.forbidden(
                                    "image",
                                    "the image on " + facts.node() + " is another one",
                                    instance.image() + " has other contents there",
                                    "copy the image of this node there"));
            case SAME_FILE, SAME_DIGEST -> {}
        }
    }

    private static Finding tooLittle(String what, long haveBytes, long needBytes) {
        return Finding.forbidden(
                "memory",
                "too little " + what,
                "%.0f MB are free, %.0f MB are needed"
                        .formatted(haveBytes / MEGA, needBytes / MEGA),
                "free some there, or choose another node");
    }

    /** All findings. */
    Preflight done() {
        return new Preflight(List.copyOf(findings));
    }
}
