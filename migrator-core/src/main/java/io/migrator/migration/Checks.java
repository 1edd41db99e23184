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
import java.util.TreeMap;

/**
 * What is looked for before anything is frozen: the tree must be one that criu can dump whole, and
 * the target must have what its restore needs. Nothing here changes anything.
 */
final class Checks {
    private final Instance instance;
    private final ProcessTree tree;
    private final List<Finding> findings = new ArrayList<>();

    Checks(Instance instance, ProcessTree tree) {
        this.instance = instance;
        this.tree = tree;
    }

    /** What a target is asked. Leaves nothing behind. */
    static Survey survey(Instance instance, ProcessTree tree, String id, NetworkNeeds network)
            throws Problem, InterruptedException {
        CriuBundle criu = CriuBundle.ofThisNode();
        try (Spool scratch = Spool.create(id)) {
            return new Survey(
                    instance.name(),
                    ImageIdentity.of(instance.image()),
                    criu.version(),
                    new CpuInfo(criu).dump(scratch.directory()),
                    network,
                    instance.mode() == Instance.Mode.SETUID,
                    limits(tree),
                    Needs.of(tree));
        } catch (IOException e) {
            throw Problem.failed("the check left something behind").because(e.toString());
        }
    }

    /** Of each limit the highest that a process has. */
    private static Map<String, Survey.Limit> limits(ProcessTree tree) {
        Map<String, Survey.Limit> highest = new TreeMap<>();
        for (Member member : tree.members()) {
            try {
                Limits.hardOf(member.process())
                        .forEach((name, value) ->
                                highest.merge(
                                        name,
                                        new Survey.Limit(named(member), value),
                                        (one, other) -> other.value() > one.value() ? other : one));
            } catch (IOException e) {
                // it ended while we looked
            }
        }
        return highest;
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
        findings.addAll(DescriptorChecks.of(tree));
        findings.addAll(StuckChecks.of(tree));
        findings.addAll(KeyChecks.ofThisUser());
        findings.addAll(SystemVChecks.of(instance, tree));
        findings.addAll(UserChecks.of(instance, tree));
        tree.members().forEach(this::remains);
        long needBytes = Needs.of(tree).spoolBytes();
        if (freeSpoolBytes < needBytes) {
            findings.add(
                    TargetChecks.tooLittle(
                            "room for images in /dev/shm here", freeSpoolBytes, needBytes));
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
        if (instance.mode() == Instance.Mode.SETUID) {
            findings.addAll(TargetChecks.entry("this node", RootEntry.state().problem()));
        }
        return this;
    }

    /** All findings. */
    Preflight done() {
        return new Preflight(List.copyOf(findings));
    }
}
