package io.migrator.handover;

import io.migrator.handover.Handover.Source;
import io.migrator.handover.Handover.SourceAction;
import io.migrator.handover.Handover.SourceEvent;
import io.migrator.handover.Handover.SourceStep;
import io.migrator.handover.Handover.Target;
import io.migrator.handover.Handover.TargetAction;
import io.migrator.handover.Handover.TargetEvent;
import io.migrator.handover.Handover.TargetStep;
import io.migrator.handover.Rules.Habit;

import java.util.Optional;
import java.util.function.UnaryOperator;

/** Faults planted into the rules, or into how they are followed. The explorer has to find each. */
enum Planted {
    ENDS_ON_TAKEN(
            "LOST",
            "the source ends its tree when the target has taken, not when the job runs there",
            rules -> rules.with(Habit.ENDS_ON_TAKEN)),
    GRANTS_BEFORE_JOURNAL(
            "TWO",
            "the source sends the grant before it writes GRANTED",
            rules ->
                    rules.withSourceFirst(
                            action -> action.isDoneFirst() || action == SourceAction.GRANT)),
    THAWS_WHEN_GRANTED(
            "TWO",
            "the source gives up after the grant as it does before",
            rules ->
                    rules.withSource(
                            Source.GRANTED,
                            SourceEvent.GIVE_UP,
                            new SourceStep(Source.OPEN, SourceAction.THAW))),
    FORGETS_BEFORE_THAW(
            "STUCK",
            "the source writes that the job runs before it thaws",
            rules -> rules.withSourceFirst(_ -> false)),
    NO_RULE_FOR_REFUSED(
            "NO RULE",
            "the rule for GRANTED x TARGET_REFUSED is dropped",
            rules -> rules.withoutSource(Source.GRANTED, SourceEvent.TARGET_REFUSED)),
    LETS_GO_BEFORE_JOURNAL(
            "TWICE",
            "the target lets the job go before it writes TAKEN",
            rules ->
                    rules.withTargetFirst(
                            action -> action.isDoneFirst() || action == TargetAction.LET_GO)),
    LETS_GO_WITHOUT_JOURNAL(
            "TWICE",
            "the target lets the job go and writes nothing until it runs",
            rules ->
                    rules.withTarget(
                                    Target.LOADED,
                                    TargetEvent.GRANT,
                                    new TargetStep(Target.LOADED, TargetAction.LET_GO))
                            .withTarget(
                                    Target.LOADED,
                                    TargetEvent.RESUME,
                                    new TargetStep(Target.RUNNING, TargetAction.NOTHING))),
    TAKES_AFTER_REFUSING(
            "TWO",
            "the target keeps a refused job, and lets it go when a late grant comes",
            rules ->
                    rules.withTarget(
                                    Target.LOADED,
                                    TargetEvent.GIVE_UP,
                                    new TargetStep(Target.REFUSED, TargetAction.NOTHING))
                            .withTarget(
                                    Target.REFUSED,
                                    TargetEvent.GRANT,
                                    new TargetStep(Target.TAKEN, TargetAction.LET_GO))),
    NO_TOMBSTONE(
            "STUCK",
            "the target refuses without a tombstone",
            rules ->
                    rules.withTarget(
                            Target.LOADED,
                            TargetEvent.GIVE_UP,
                            new TargetStep(Target.NONE, TargetAction.DISCARD))),
    REFUSES_WITHOUT_LOOKING(
            "TWICE",
            "the target gives a taken job up without looking whether it ran",
            rules ->
                    rules.withTarget(
                            Target.TAKEN,
                            TargetEvent.GIVE_UP,
                            new TargetStep(Target.REFUSED, TargetAction.DISCARD))),
    SEALS_BLINDLY(
            "TWICE",
            "the source does not look, after sealing, whether criu held the job until then",
            rules -> rules.with(Habit.SEALS_BLINDLY)),
    SEAL_IS_A_SIGNAL(
            "TWO",
            "the seal is a queued SIGSTOP, and a third party sends SIGCONT (a double fault)",
            rules -> rules.with(Habit.SEAL_IS_A_SIGNAL)),
    REFUSES_BESIDE_THE_RECEIVER(
            "TWO",
            "a question is answered REFUSED while the receiver lives and may still take",
            rules -> rules.with(Habit.REFUSES_BESIDE_THE_RECEIVER)),
    NOTHING_MEANS_REFUSED(
            "TWICE",
            "the source takes a target without journal, of whatever boot, for one that refused",
            rules -> rules.with(Habit.NOTHING_MEANS_REFUSED)),
    GIVES_BACK_TO_NOBODY(
            "WASTED",
            "the target's own recover refuses a taken job that never ran, though nobody asks",
            rules -> rules.with(Habit.GIVES_BACK_TO_NOBODY)),
    ENDS_ON_FILLS(
            "LOST",
            "the source ends its tree when the job was let go, though the target lacks its memory",
            rules ->
                    rules.withSource(
                            Source.GRANTED,
                            SourceEvent.TARGET_FILLS,
                            new SourceStep(Source.GONE, SourceAction.END))),
    FILLED_WITHOUT_JOURNAL(
            "LOST",
            "the target says that all memory is there and does not write it",
            rules ->
                    rules.withTarget(
                            Target.FILLING,
                            TargetEvent.FILLED,
                            new TargetStep(Target.FILLING, TargetAction.NOTHING))),
    RUNS_BEFORE_FILLED(
            "LOST",
            "the target writes and says that a job runs which lacks memory",
            rules ->
                    rules.withTarget(
                            Target.TAKEN,
                            TargetEvent.RESUME_FILLING,
                            new TargetStep(Target.RUNNING, TargetAction.NOTHING))),
    WAITS_WHEN_FILLING(
            "STUCK",
            "the source waits when the target lacks memory, as for one that cannot tell",
            rules ->
                    rules.withSource(
                            Source.GRANTED,
                            SourceEvent.TARGET_FILLS,
                            new SourceStep(Source.GRANTED, SourceAction.WAIT))),
    FILLS_BLINDLY(
            "MIXED",
            "the source sends memory without looking whether the tree still stands",
            rules -> rules.with(Habit.FILLS_BLINDLY)),
    KEEPS_WHAT_WAS_TAKEN_BACK(
            "STUCK",
            "the target lets a job run on without its memory when a person took it back",
            rules ->
                    rules.withTarget(
                            Target.FILLING,
                            TargetEvent.SOURCE_DONE,
                            new TargetStep(Target.NONE, TargetAction.FORGET))),
    CRIU_ENDS_THEM_AT_PRE_RESUME(
            "LOST",
            "criu ends the tasks if its caller dies at pre-resume (an assumption about criu)",
            rules -> rules.with(Habit.CRIU_ENDS_THEM_AT_PRE_RESUME));

    /** How that begins which the fault leads to. */
    final String sought;

    final String what;
    private final UnaryOperator<Rules> plant;

    Planted(String sought, String what, UnaryOperator<Rules> plant) {
        this.sought = sought;
        this.what = what;
        this.plant = plant;
    }

    Optional<Explorer.Counterexample> find() {
        Rules rules = plant.apply(Rules.real());
        return new Explorer(rules, Endings.ALONE, sought).explore().wrong();
    }
}
