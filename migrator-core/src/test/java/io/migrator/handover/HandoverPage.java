package io.migrator.handover;

import io.migrator.handover.Explorer.Counterexample;
import io.migrator.handover.Explorer.Figures;
import io.migrator.handover.Handover.Source;
import io.migrator.handover.Handover.SourceEvent;
import io.migrator.handover.Handover.Target;
import io.migrator.handover.Handover.TargetEvent;

import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;

/** docs/handover.md, written from the rules and from what the explorer saw. */
final class HandoverPage {
    private static final String HEAD =
            """
            # The hand-over

            Written by `HandoverTest` from `Handover` and from its exploration; do not edit. Write it again with
            `mvn -pl migrator-core -am test -Dtest=HandoverTest -Dhandover.write=true`.

            One token stands for the right to execute a job. It starts on the source and moves by one message, the
            grant. From the moment a target is asked until both nodes are clean again the source's journal is OPEN
            or says what was done to the job. Before the grant either node may give up alone, and the job goes on at the source. After it the
            source stands still, sealed by the kernel, until the target says that the job runs there (then the
            source ends its tree) or that it never ran there and never will (then it thaws). If the target cannot
            say, the source waits.

            Some of the memory may come after the job was let go. The target is then FILLING: the job runs there, and
            the source stands still as before, GRANTED, and sends what is missing, again after a crash, until the
            target says that all of it is there. Only this ends the source's tree. Where a person took the job back
            at the source meanwhile, what runs on the target without its memory can never be completed and is ended.

            Each node writes its state into one small journal on tmpfs before it acts, or after
            it where the action gives up all claims (THAW, DISCARD). `migrator recover` reads the journal and goes on
            from there; it may run at any time, any number of times, on either node.
            """;

    private static final String MODEL =
            """
            ## What was explored

            Every world that can be reached by the programs of both nodes in steps of one journal write, one action,
            one message, of migrations whose memory is all there before the grant and of those whose memory comes
            after it in part, and by any number of these faults at any moment: the source's process, the target's receiver
            or a recover is killed; criu is killed on either side (between its two holds on the target the tasks then
            run, hang or die); the line is cut, any first part of what was under way having arrived; either node
            starts anew; the user cancels; the receiver meets a fault of its own. The line may heal and a recover may
            start at any moment; a person may take back when the target's node started anew or is out of reach, and
            take over when the source's node started anew.

            In no world does the job execute on both nodes, nor has it executed on both after its image was made,
            unless a person took back or over. In no world is the source's tree ended while the target lacks memory,
            or memory sent of a tree that runs. In no world does an event come for which there is no rule. From
            every world, when nothing more befalls it, with the line healed or left as it is, the programs and then
            a recover on the source, on the target and on the source again come to one of the endings below,
            whatever the order of their steps. Where nobody took back or over, nothing of the migration is left
            then but tombstones and what the ending names.
            """;

    private static final String OUTSIDE =
            """
            ## What the programs owe to this

            - After sealing, the source looks whether criu still holds the job. If not, the job ran on after its
              image: give up.
            - A question ends the receiver first, if the journal says PREPARED or LOADED, and waits for its death.
            - A taken job that never ran is given back only on the source's question or over a living line.
            - A recover on the target takes a source node of another boot for one that will not ask again.
            - A source that is open or gone keeps its journal until the target has removed its own, or has another
              boot. In OPEN the answer of a target that has no journal counts as TARGET_REFUSED.
            - RUNNING is written before it is said where the memory came after the grant: a job that is FILLING by
              its journal is ended when the source is done. That it runs may be said without, for it can be seen.
            - The memory is sent again as a whole, or what is missing of it, whenever the target says FILLING; by a
              new connection it is taken only when the receiver, or who took it before, has ended.
            - Before the source sends memory it looks whether the tree still stands. If not, it was let go for a person
              who took the job back, and only the journal does not say so yet: this is TAKE_BACK again.
            - A copy whose memory comes after the grant is not taken over by a person: it is not complete.
            - REFUSED before the grant is a reason to give up; the rules have no TARGET_REFUSED there.

            Taken for granted: a job at pre-resume runs, whoever dies; tasks at post-restore never run without the
            answer; recover can always tell whether the job executed (also when it has come to its end already); the
            seal is the cgroup's, which no signal lifts; while memory is missing, what keeps the job waiting for it
            lives as long as the job. Left out: damaged journals, a full tmpfs, tombstones running
            out, a second migration of the same job, two recovers at once on one node (the lock).
            """;

    private final Figures figures;
    private final Set<String> used;
    private final Map<Planted, Counterexample> planted;
    private final StringBuilder text = new StringBuilder();

    HandoverPage(Figures figures, Set<String> used, Map<Planted, Counterexample> planted) {
        this.figures = figures;
        this.used = used;
        this.planted = planted;
    }

    String text() {
        text.append(HEAD);
        side("source", Source.values(), SourceEvent.values(), HandoverPage::source);
        side("target", Target.values(), TargetEvent.values(), HandoverPage::target);
        text.append('\n').append(MODEL);
        figures();
        endings();
        planted();
        text.append('\n').append(OUTSIDE);
        return text.toString();
    }

    /** What a rule says: the next state and the action. */
    private record Cell(Enum<?> next, String action, boolean isDoneFirst) {
        String in(Enum<?> state) {
            String act = action.equals("NOTHING") ? "" : action;
            String to = next == state ? "stays" : next.name();
            return act.isEmpty() ? to : isDoneFirst ? act + ", " + to : to + ", " + act;
        }
    }

    private static Cell source(Source state, SourceEvent event) {
        Handover.SourceStep step = Handover.next(state, event);
        return new Cell(step.next(), step.action().name(), step.action().isDoneFirst());
    }

    private static Cell target(Target state, TargetEvent event) {
        Handover.TargetStep step = Handover.next(state, event);
        return new Cell(step.next(), step.action().name(), step.action().isDoneFirst());
    }

    private <S extends Enum<?>, E extends Enum<?>> void side(
            String side, S[] states, E[] events, BiFunction<S, E, Cell> rule) {
        text.append("\n## The ").append(side).append("'s rules\n\n");
        text.append("What is written and what is done, in this order; no entry: the event cannot ");
        text.append("come; (never): it did not come in any world explored.\n\n| |");
        for (S state : states) {
            text.append(' ').append(state).append(" |");
        }
        text.append("\n|---").append("|---".repeat(states.length)).append("|\n");
        StringBuilder drawing = new StringBuilder();
        for (E event : events) {
            text.append("| ").append(event).append(" |");
            for (S state : states) {
                text.append(' ').append(cell(side, state, event, rule, drawing)).append(" |");
            }
            text.append('\n');
        }
        text.append("\n```mermaid\nstateDiagram-v2\n").append("    [*] --> ").append(states[0]);
        text.append('\n').append(drawing).append("```\n");
    }

    private <S extends Enum<?>, E extends Enum<?>> String cell(
            String side, S state, E event, BiFunction<S, E, Cell> rule, StringBuilder drawing) {
        Cell cell;
        try {
            cell = rule.apply(state, event);
        } catch (IllegalStateException noRule) {
            return "";
        }
        boolean never = !used.contains(side + " " + state + " x " + event);
        if (cell.next() != state) {
            String act = cell.action().equals("NOTHING") ? "" : " / " + cell.action();
            drawing.append("    %s --> %s: %s%s\n".formatted(state, cell.next(), event, act));
        }
        return cell.in(state) + (never ? " (never)" : "");
    }

    private void figures() {
        text.append("\n| fewest faults needed | worlds |\n|---|---|\n");
        for (int faults = 0; faults < figures.statesByFaults().size(); faults++) {
            text.append("| %d | %d |\n".formatted(faults, figures.statesByFaults().get(faults)));
        }
        text.append(
                "| any number | %d worlds, %d transitions |\n\n"
                        .formatted(figures.states(), figures.transitions()));
        text.append(
                "The longest of the shortest ways to a world has %d steps. After a person took back "
                        .formatted(figures.deepest()));
        text.append(
                "or over, two execute in %d worlds, and in %d both have executed.\n"
                        .formatted(figures.personsTwo(), figures.personsTwice()));
    }

    private void endings() {
        text.append("\n## Where it ends\n\n");
        text.append("| ending | worlds that can come to it | fewest faults |\n|---|---|---|\n");
        figures.endings()
                .forEach((ending, seen) ->
                        text.append(
                                "| %s | %d | %d |\n"
                                        .formatted(ending.meaning, seen.worlds(), seen.faults())));
    }

    private void planted() {
        text.append("\n## Planted faults, and what the explorer finds\n\n");
        text.append("| planted | found | faults | steps of the trace |\n|---|---|---|---|\n");
        planted.forEach((fault, found) ->
                text.append(
                        "| %s | %s | %d | %d |\n"
                                .formatted(
                                        fault.what,
                                        found.what(),
                                        found.faults(),
                                        found.trace().size())));
    }
}
