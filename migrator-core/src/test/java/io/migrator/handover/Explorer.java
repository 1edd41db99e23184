package io.migrator.handover;

import io.migrator.handover.Move.Kind;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;

/**
 * Visits every world that can be reached, with any number of faults, those with the fewest faults
 * and then the shortest way first, so that the first wrong one found has the simplest trace.
 */
final class Explorer {
    private record Reached(
            World world, Reached from, String by, int faults, int depth, int order) {}

    /** How many worlds can come to an ending, and after how few faults. */
    record Seen(int worlds, int faults) {
        Seen again() {
            return new Seen(worlds + 1, faults);
        }
    }

    /** What an exploration saw. */
    record Figures(
            List<Integer> statesByFaults,
            long transitions,
            int deepest,
            int personsTwo,
            int personsTwice,
            Map<Ending, Seen> endings,
            Optional<Counterexample> wrong) {
        int states() {
            return statesByFaults.stream().mapToInt(Integer::intValue).sum();
        }
    }

    /** The simplest way to something wrong. */
    record Counterexample(String what, int faults, List<String> trace) {
        @Override
        public String toString() {
            StringBuilder text = new StringBuilder(what);
            for (int i = 0; i < trace.size(); i++) {
                text.append('\n').append(String.format("%4d  %s", i + 1, trace.get(i)));
            }
            return text.toString();
        }
    }

    private final Model model;
    private final Endings endings;
    private final String sought;
    private final Map<World, Reached> best = new HashMap<>();
    private final PriorityQueue<Reached> queue =
            new PriorityQueue<>(
                    Comparator.comparingInt(Reached::faults)
                            .thenComparingInt(Reached::depth)
                            .thenComparingInt(Reached::order));
    private final Map<Ending, Seen> seen = new EnumMap<>(Ending.class);
    private int order;
    private final List<Integer> statesByFaults = new ArrayList<>();
    private long transitions;
    private int deepest;
    private int personsTwo;
    private int personsTwice;

    /**
     * @param stages what is done when nothing more befalls the nodes, see {@link Endings}
     * @param sought how that begins at which the search stops; empty for anything wrong
     */
    Explorer(Rules rules, List<Kind> stages, String sought) {
        this.model = new Model(rules);
        this.endings = new Endings(model, stages);
        this.sought = sought;
    }

    Figures explore() {
        for (World start : World.starts()) {
            reach(new Reached(start, null, "start", 0, 0, ++order));
        }
        Optional<Counterexample> wrong = Optional.empty();
        while (!queue.isEmpty() && wrong.isEmpty()) {
            Reached next = queue.remove();
            if (best.get(next.world()) == next) {
                wrong = visit(next);
            }
        }
        return new Figures(
                statesByFaults, transitions, deepest, personsTwo, personsTwice, seen, wrong);
    }

    private Optional<Counterexample> visit(Reached at) {
        while (statesByFaults.size() <= at.faults()) {
            statesByFaults.add(0);
        }
        statesByFaults.set(at.faults(), statesByFaults.get(at.faults()) + 1);
        deepest = Math.max(deepest, at.depth());
        personsTwo += Model.twoExecute(at.world()) ? 1 : 0;
        personsTwice += Model.bothExecuted(at.world()) ? 1 : 0;
        Optional<String> wrong = Model.wrong(at.world());
        if (wrong.isPresent() && wrong.get().startsWith(sought)) {
            return Optional.of(new Counterexample(wrong.get(), at.faults(), trace(at)));
        }
        try {
            model.steps(at.world()).forEach(move -> follow(at, move));
            model.others(at.world()).forEach(move -> follow(at, move));
        } catch (IllegalStateException noRule) {
            String what = "NO RULE: " + noRule.getMessage();
            return what.startsWith(sought)
                    ? Optional.of(new Counterexample(what, at.faults(), trace(at)))
                    : Optional.empty();
        }
        return ending(at);
    }

    private Optional<Counterexample> ending(Reached at) {
        try {
            for (Ending ending : endings.of(at.world())) {
                seen.merge(ending, new Seen(1, at.faults()), (before, _) -> before.again());
                if (ending.isBad() && ending.meaning.startsWith(sought)) {
                    List<String> trace = new ArrayList<>(trace(at));
                    trace.addAll(endings.way(at.world(), ending));
                    return Optional.of(new Counterexample(ending.meaning, at.faults(), trace));
                }
            }
        } catch (IllegalStateException later) {
            // The search itself comes to the state without a rule, and then knows the way.
            return Optional.empty();
        }
        return Optional.empty();
    }

    private void follow(Reached at, Move move) {
        transitions++;
        int faults = at.faults() + (move.kind() == Kind.FAULT ? 1 : 0);
        reach(new Reached(move.to(), at, move.what(), faults, at.depth() + 1, ++order));
    }

    private void reach(Reached found) {
        Reached before = best.get(found.world());
        boolean better =
                before == null
                        || found.faults() < before.faults()
                        || (found.faults() == before.faults() && found.depth() < before.depth());
        if (better) {
            best.put(found.world(), found);
            queue.add(found);
        }
    }

    private static List<String> trace(Reached end) {
        List<String> trace = new ArrayList<>();
        for (Reached at = end; at.from() != null; at = at.from()) {
            trace.addFirst(at.by());
        }
        return trace;
    }
}
