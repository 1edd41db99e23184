package io.migrator.migration;

import io.migrator.check.Finding;
import io.migrator.check.Preflight;
import io.migrator.files.FileAnswer;
import io.migrator.files.FileClaim;
import io.migrator.files.UsedFile;
import io.migrator.handover.Handover.SourceEvent;
import io.migrator.handover.Journal;
import io.migrator.handover.Token;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A kept job comes up on a node: all of a move's second half. Run by one thread; {@link #cancel}
 * may be called by any other, and does nothing once the job is being let go.
 */
public final class Restoration {
    /** Gives a target all that was kept, from its files to {@link Target#load}. */
    @FunctionalInterface
    public interface Replay {
        /** After {@link Target#prepare}. */
        void into(Target target) throws Problem, InterruptedException;
    }

    /**
     * What was done.
     *
     * @param node that runs the job
     * @param phases milliseconds of each stage
     */
    public record Restored(String node, double totalMillis, Map<Stage, Double> phases) {}

    private final Target target;
    private final @Nullable FarNode far;
    private final Progress progress;
    private final StopWatch watch;
    private final Cancellation cancellation = new Cancellation();
    private final String id;
    private String node = "the target";

    /**
     * None has begun; to be run by the thread that makes it.
     *
     * @param far the target once more, asked where it does not answer; null for this node
     */
    public Restoration(Target target, @Nullable FarNode far, Progress progress) {
        this.target = target;
        this.far = far;
        this.progress = progress;
        this.watch = new StopWatch(progress);
        this.id = "r" + Long.toHexString(System.nanoTime()) + "p" + ProcessHandle.current().pid();
    }

    /**
     * Restores the job.
     *
     * @param name that its instance is to have
     * @throws Problem if it does not run; its payload part says what there is instead
     */
    public Restored run(Kept kept, String name, Replay replay) throws Problem {
        try {
            return restored(kept, name, replay);
        } catch (InterruptedException e) {
            throw placed(Problem.failed("the restore was cancelled"));
        } catch (Problem e) {
            boolean asked = cancellation.asked() && e.exitCode() == ExitCode.FAILED;
            throw placed(asked ? Problem.failed("the restore was cancelled").causedBy(e) : e);
        }
    }

    private Problem placed(Problem problem) throws Problem {
        return problem.payload(
                problem.exitCode() == ExitCode.UNDECIDED
                        ? "the job may run on " + node
                        : "nothing of the job runs on " + node + "; what was kept is as it was");
    }

    private Restored restored(Kept kept, String name, Replay replay)
            throws Problem, InterruptedException {
        watch.begin(Stage.CHECK);
        Survey survey = kept.survey().named(name);
        TargetFacts facts = target.survey(survey);
        node = facts.node();
        List<Finding> findings =
                new ArrayList<>(
                        TargetChecks.of(survey, facts, survey.image().match(facts.image())));
        findings.addAll(missing(kept.stayed()));
        if (kept.order().runDirectory() != null && !name.equals(kept.order().instance())) {
            findings.add(
                    Finding.forbidden(
                            "name",
                            "the job cannot have another name than '%s'"
                                    .formatted(kept.order().instance()),
                            "its run directory is named so, and it has files in it open",
                            "restore it without --name"));
        }
        Preflight preflight = new Preflight(findings);
        preflight.warnings().forEach(progress::warning);
        preflight.orRefuse(name);
        Order order = kept.order().restored(id, Token.fresh(), name, kept.clocks(), facts.clocks());
        boolean loaded = false;
        try {
            watch.begin(Stage.PREPARE);
            target.prepare(order);
            cancellation.orStop();
            watch.begin(Stage.LOAD);
            replay.into(target);
            cancellation.endOrStop();
            loaded = true;
        } finally {
            if (!loaded) {
                discard();
            }
        }
        watch.begin(Stage.HANDOVER);
        take(order, facts.bootId());
        watch.begin(Stage.CLEAN);
        try {
            target.done();
        } catch (Problem e) {
            progress.warning(e.getMessage());
        }
        watch.end();
        return new Restored(node, watch.totalMillis(), watch.phases());
    }

    /** What the job uses and nobody copied. */
    private List<Finding> missing(List<FileClaim> stayed) throws Problem, InterruptedException {
        List<Finding> findings = new ArrayList<>();
        List<FileAnswer> answers = target.files(stayed);
        for (int i = 0; i < Math.min(answers.size(), stayed.size()); i++) {
            FileClaim claim = stayed.get(i);
            String path = claim.identity().path();
            switch (answers.get(i).state()) {
                case SAME -> {}
                case ABSENT -> findings.add(absent(path, "is not there"));
                case OTHER_KIND -> findings.add(absent(path, "is of another kind there"));
                case ANOTHER -> {
                    if (isChanged(claim, answers.get(i))) {
                        findings.add(absent(path, "is another file, or has changed"));
                    }
                }
            }
        }
        return findings;
    }

    /** What the job only reads must be as it was; of others criu compares the length. */
    private static boolean isChanged(FileClaim claim, FileAnswer answer) {
        String ours = claim.identity().digest();
        boolean sameSize = !answer.digest().isEmpty();
        boolean alike = sameSize && (ours.isEmpty() || ours.equals(answer.digest()));
        return claim.use() == UsedFile.Use.READ && !alike;
    }

    private Finding absent(String path, String what) {
        return Finding.forbidden(
                "files",
                "%s on %s %s".formatted(path, node, what),
                "the job uses it, and it was not copied",
                "mount it, or copy it there");
    }

    private void discard() {
        cancellation.end(); // undoing must not be cut short
        Thread.interrupted();
        try {
            target.discard();
        } catch (Problem e) {
            progress.warning(e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void take(Order order, String targetBoot) throws Problem, InterruptedException {
        try {
            target.take();
        } catch (Problem e) {
            if (e.exitCode() != ExitCode.UNDECIDED || far == null) {
                throw e;
            }
            SourceEvent answer = new Question(far, head(order, targetBoot)).untilDecided();
            if (answer == SourceEvent.TARGET_REFUSED) {
                throw Problem.failed(node + " did not take the job").because(e.getMessage());
            }
            if (answer != SourceEvent.TARGET_RUNS) {
                throw e.tryThis("migrator recover on " + node);
            }
        }
    }

    private static Journal.Head head(Order order, String targetBoot) throws Problem {
        try {
            return new Journal.Head(
                    Journal.Role.SOURCE, order.id(), order.token(), Order.ARCHIVE, targetBoot);
        } catch (IllegalArgumentException e) {
            throw Problem.undecided("the target answered nonsense").because("its boot id is none");
        }
    }

    /** Asks the run to stop and undo; too late once the job is being let go. */
    public void cancel() {
        cancellation.request();
    }
}
