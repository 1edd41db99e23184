package io.migrator.handover;

import io.migrator.handover.Handover.Target;
import io.migrator.handover.Move.Kind;
import io.migrator.handover.World.Deed;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Everything that can happen next, and what must never be. */
final class Model {
    private final SourceMoves source;
    private final TargetMoves target;
    private final TargetCriuMoves targetCriu;
    private final Calls calls;
    private final FaultMoves faults;
    private final Map<World, List<Move>> steps = new HashMap<>();

    Model(Rules rules) {
        source = new SourceMoves(rules);
        target = new TargetMoves(rules);
        targetCriu = new TargetCriuMoves(rules);
        calls = new Calls(rules, target);
        faults = new FaultMoves(rules, source, target);
    }

    /** What the programs do by themselves. */
    List<Move> steps(World world) {
        List<Move> known = steps.get(world);
        if (known == null) {
            known = findSteps(world);
            steps.put(world, known);
        }
        return known;
    }

    private List<Move> findSteps(World world) {
        List<Move> moves = new ArrayList<>();
        Move.Sink sink = (kind, what, to) -> moves.add(new Move(kind, what, to.world()));
        source.add(world, sink);
        target.add(world, sink);
        targetCriu.add(world, sink);
        calls.add(world, sink);
        return moves;
    }

    /** Everything else. */
    List<Move> others(World world) {
        List<Move> moves = new ArrayList<>();
        faults.add(world, (kind, what, to) -> moves.add(new Move(kind, what, to.world())));
        return moves;
    }

    Optional<Move> other(World world, Kind kind) {
        return others(world).stream().filter(move -> move.kind() == kind).findFirst();
    }

    static boolean twoExecute(World world) {
        return world.sourceExecutes() && world.job() == World.Job.RUNS;
    }

    /** The source's tree was ended, by whatever but its node's end, and memory was only there. */
    static boolean lostMemory(World world) {
        return !world.tree() && !world.sRebooted() && !world.complete();
    }

    private static boolean sendsMemory(World world) {
        boolean taken = world.call() == World.Call.WORKING;
        return world.call() == World.Call.SENT
                || (taken && world.tTodo().contains(Deed.Chore.FILL))
                || world.sTodo().contains(new Deed.ActSource(Handover.SourceAction.FILL));
    }

    static boolean bothExecuted(World world) {
        return world.movedOn() && world.ran();
    }

    /** What is wrong with this world at this moment, if anything. */
    static Optional<String> wrong(World world) {
        if (twoExecute(world) && !world.person()) {
            return Optional.of("TWO: the job executes on both nodes");
        } else if (bothExecuted(world) && !world.person()) {
            return Optional.of("TWICE: the job executed on both nodes after its image was made");
        } else if (lostMemory(world)) {
            return Optional.of(
                    "LOST: the source's tree was ended, and the target lacks its memory");
        } else if (sendsMemory(world) && !world.hasMemory()) {
            return Optional.of("MIXED: memory is sent of a tree that runs, or is no more");
        } else if (world.tJournal() == Target.RUNNING && !world.complete()) {
            return Optional.of("UNTRUE: the target says that all memory is there which is not");
        } else if (world.ran() && world.tJournal() == Target.REFUSED) {
            return Optional.of("UNTRUE: the target says that a job never ran which did");
        }
        boolean givesUp = world.tTodo().contains(new Deed.WriteTarget(Target.REFUSED));
        boolean unasked = world.tActor() == World.TargetActor.RECOVER;
        boolean takenInVain = world.tJournal() == Target.TAKEN && !world.ran();
        return unasked && givesUp && takenInVain && world.sRebooted()
                ? Optional.of("WASTED: a taken job is given back to a source that is no more")
                : Optional.empty();
    }
}
