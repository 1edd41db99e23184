package io.migrator.migration;

import io.migrator.check.Finding;
import io.migrator.instance.ImageIdentity;
import io.migrator.linux.Limits;

import java.util.ArrayList;
import java.util.List;

/** What a node lacks that a job needs, by what it answered to the job's survey. */
final class TargetChecks {
    private static final double MEGA = 1e6;

    private final Survey survey;
    private final TargetFacts facts;
    private final List<Finding> findings = new ArrayList<>();

    private TargetChecks(Survey survey, TargetFacts facts) {
        this.survey = survey;
        this.facts = facts;
    }

    /**
     * Compares what is needed with what is there.
     *
     * @param image how the image there relates to the job's
     */
    static List<Finding> of(Survey survey, TargetFacts facts, ImageIdentity.Match image) {
        TargetChecks checks = new TargetChecks(survey, facts);
        checks.look(image);
        return checks.findings;
    }

    private void look(ImageIdentity.Match image) {
        if (survey.rootEntry()) {
            findings.addAll(entry(facts.node(), facts.entryProblem()));
        }
        criu();
        if (!facts.cpuProblem().isEmpty()) {
            add(
                    "cpu",
                    "the CPU of " + facts.node() + " lacks what the job may use",
                    facts.cpuProblem(),
                    "choose a node with the same kind of CPU");
        }
        if (facts.nameTaken()) {
            add(
                    "name",
                    "an instance '" + survey.instance() + "' runs on " + facts.node(),
                    "the job could not have its name there",
                    "stop that one, or choose another node");
        }
        image(image);
        findings.addAll(facts.network());
        survey.limits().forEach(this::limit);
        Needs needs = survey.needs();
        if (facts.freeSpoolBytes() < needs.spoolBytes()) {
            String what = "room for images in /dev/shm on " + facts.node();
            findings.add(tooLittle(what, facts.freeSpoolBytes(), needs.spoolBytes()));
        }
        if (facts.freeMemoryBytes() < needs.memoryBytes()) {
            String what = "memory on " + facts.node();
            findings.add(tooLittle(what, facts.freeMemoryBytes(), needs.memoryBytes()));
        }
    }

    private void criu() {
        if (!facts.criuProblem().isEmpty()) {
            add(
                    "criu",
                    "no usable criu on " + facts.node(),
                    facts.criuProblem(),
                    "install criu " + survey.criuVersion() + " there");
        } else if (!facts.criuVersion().equals(survey.criuVersion())) {
            add(
                    "criu",
                    "criu differs: %s made the images, %s is on %s"
                            .formatted(survey.criuVersion(), facts.criuVersion(), facts.node()),
                    "images of one version are not promised to another",
                    "install the same criu there");
        }
    }

    /** What is wrong with root's help on a node; nothing if the problem is empty. */
    static List<Finding> entry(String node, String problem) {
        return problem.isEmpty()
                ? List.of()
                : List.of(
                        Finding.forbidden(
                                "root-entry",
                                "root's help to enter the instance cannot be had on " + node,
                                "apptainer's setuid starter made it; " + problem,
                                "let root run `migrator setup` there, or start it with --userns"));
    }

    /** criu sets what it can, and says nothing of what it cannot. */
    private void limit(String name, Survey.Limit wanted) {
        long most = facts.limits().getOrDefault(name, Limits.UNLIMITED);
        if (wanted.value() > most) {
            add(
                    "limits",
                    "process %s would have a lower limit on %s (%s)"
                            .formatted(wanted.process(), facts.node(), name),
                    "%s is %s here, the most there is %s"
                            .formatted(name, words(wanted.value()), words(most)),
                    "raise the hard limit there (limits.conf, or that of sshd), or lower it here");
        }
    }

    private static String words(long limit) {
        return limit == Limits.UNLIMITED ? "unlimited" : Long.toString(limit);
    }

    private void image(ImageIdentity.Match match) {
        String path = survey.image().path();
        switch (match) {
            case ABSENT ->
                    add(
                            "image",
                            "the image is not on " + facts.node(),
                            path + " does not exist there",
                            "copy it there, to the same path");
            case OTHER ->
                    add(
                            "image",
                            "the image on " + facts.node() + " is another one",
                            path + " has other contents there",
                            "copy the image of this node there");
            case SAME_FILE, SAME_DIGEST -> {}
        }
    }

    static Finding tooLittle(String what, long haveBytes, long needBytes) {
        return Finding.forbidden(
                "memory",
                "too little " + what,
                "%.0f MB are free, %.0f MB are needed"
                        .formatted(haveBytes / MEGA, needBytes / MEGA),
                "free some there, or choose another node");
    }

    private void add(String check, String what, String because, String tryThis) {
        findings.add(Finding.forbidden(check, what, because, tryThis));
    }
}
