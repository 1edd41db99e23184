package io.migrator.handover;

import io.migrator.handover.Handover.Source;
import io.migrator.handover.Handover.SourceAction;
import io.migrator.handover.Handover.SourceEvent;
import io.migrator.handover.Handover.SourceStep;
import io.migrator.handover.Handover.Target;
import io.migrator.handover.Handover.TargetAction;
import io.migrator.handover.Handover.TargetEvent;
import io.migrator.handover.Handover.TargetStep;

import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiFunction;
import java.util.function.Predicate;

/** What decides in the explored model: {@link Handover} itself, or it with one planted fault. */
record Rules(
        BiFunction<Source, SourceEvent, SourceStep> source,
        BiFunction<Target, TargetEvent, TargetStep> target,
        Predicate<SourceAction> sourceFirst,
        Predicate<TargetAction> targetFirst,
        Set<Habit> habits,
        Set<String> used) {

    /** A way of doing things that no rule shows; faults, but for the last. */
    enum Habit {
        /** Takes the seal for in force without looking whether criu held the job until then. */
        SEALS_BLINDLY,
        /** The seal is a SIGSTOP in the queue, which anybody's SIGCONT takes out. */
        SEAL_IS_A_SIGNAL,
        /** Ends the source's tree when the target has taken but does not run yet. */
        ENDS_ON_TAKEN,
        /** Says REFUSED to a question without ending the receiver, which may still take. */
        REFUSES_BESIDE_THE_RECEIVER,
        /** criu ends the tasks when its caller dies at pre-resume. */
        CRIU_ENDS_THEM_AT_PRE_RESUME,
        /** Gives a taken job back although nobody is there to take it. */
        GIVES_BACK_TO_NOBODY,
        /** Sends memory without looking whether the tree still stands. */
        FILLS_BLINDLY,
        /** Takes the absence of a journal, whatever boot it is, for a refusal. */
        NOTHING_MEANS_REFUSED,
        /** Restores a taken job that never ran again from the images, when nobody takes it back. */
        RESTORES_AGAIN
    }

    static Rules real() {
        return new Rules(
                Handover::next,
                Handover::next,
                SourceAction::isDoneFirst,
                TargetAction::isDoneFirst,
                Set.of(),
                new TreeSet<>());
    }

    Rules with(Habit habit) {
        return new Rules(source, target, sourceFirst, targetFirst, Set.of(habit), used);
    }

    Rules withSource(Source state, SourceEvent event, SourceStep planted) {
        return new Rules(
                (s, e) -> s == state && e == event ? planted : source.apply(s, e),
                target,
                sourceFirst,
                targetFirst,
                habits,
                used);
    }

    Rules withTarget(Target state, TargetEvent event, TargetStep planted) {
        return new Rules(
                source,
                (s, e) -> s == state && e == event ? planted : target.apply(s, e),
                sourceFirst,
                targetFirst,
                habits,
                used);
    }

    Rules withoutSource(Source state, SourceEvent event) {
        return new Rules(
                (s, e) -> {
                    if (s == state && e == event) {
                        throw new IllegalStateException("no rule for " + e + " in " + s);
                    }
                    return source.apply(s, e);
                },
                target,
                sourceFirst,
                targetFirst,
                habits,
                used);
    }

    Rules withSourceFirst(Predicate<SourceAction> first) {
        return new Rules(source, target, first, targetFirst, habits, used);
    }

    Rules withTargetFirst(Predicate<TargetAction> first) {
        return new Rules(source, target, sourceFirst, first, habits, used);
    }

    SourceStep next(Source state, SourceEvent event) {
        used.add("source " + state + " x " + event);
        return source.apply(state, event);
    }

    TargetStep next(Target state, TargetEvent event) {
        used.add("target " + state + " x " + event);
        return target.apply(state, event);
    }

    boolean has(Habit habit) {
        return habits.contains(habit);
    }
}
