package io.migrator.handover;

import io.migrator.handover.Move.Kind;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Where a world comes to when nothing more befalls it: the programs finish, then a recover on the
 * source, on the target, and on the source again; once with the line as it is and once healed
 * first. Every order in which the programs can finish is followed.
 */
final class Endings {
    /** Nobody is asked. */
    static final List<Kind> ALONE =
            List.of(Kind.HEAL, Kind.RECOVER_SOURCE, Kind.RECOVER_TARGET, Kind.RECOVER_SOURCE);

    /** At last a person decides, if there is something to decide. */
    static final List<Kind> WITH_PERSON =
            List.of(
                    Kind.HEAL,
                    Kind.RECOVER_SOURCE,
                    Kind.RECOVER_TARGET,
                    Kind.RECOVER_SOURCE,
                    Kind.PERSON);

    private static final int AS_IT_IS = 1;
    private static final int UNDER_WAY = 1 << 31;

    private final Model model;
    private final List<Kind> stages;
    private final List<Map<World, Integer>> known = new ArrayList<>();

    Endings(Model model, List<Kind> stages) {
        this.model = model;
        this.stages = stages;
        for (int stage = 0; stage <= stages.size(); stage++) {
            known.add(new HashMap<>());
        }
    }

    /** All endings this world can come to. */
    Set<Ending> of(World world) {
        int found = ends(world, 0) | (world.cut() ? ends(world, AS_IT_IS) : 0);
        Set<Ending> endings = EnumSet.noneOf(Ending.class);
        for (Ending ending : Ending.values()) {
            if ((found & bit(ending)) != 0) {
                endings.add(ending);
            }
        }
        return endings;
    }

    /** How the world comes to an ending, for printing. */
    List<String> way(World world, Ending ending) {
        int stage = (ends(world, 0) & bit(ending)) != 0 ? 0 : AS_IT_IS;
        List<String> way = new ArrayList<>();
        World at = world;
        while (stage <= stages.size()) {
            List<Move> steps = model.steps(at);
            if (steps.isEmpty()) {
                if (stage == stages.size()) {
                    break;
                }
                Optional<Move> next = model.other(at, stages.get(stage++));
                next.ifPresent(move -> way.add(move.what()));
                at = next.map(Move::to).orElse(at);
            } else {
                int here = stage;
                Move move =
                        steps.stream()
                                .filter(step -> (ends(step.to(), here) & bit(ending)) != 0)
                                .findFirst()
                                .orElseThrow();
                way.add(move.what());
                at = move.to();
            }
        }
        return way;
    }

    private int ends(World world, int stage) {
        Integer before = known.get(stage).get(world);
        if (before != null) {
            return before == UNDER_WAY ? bit(Ending.LIVELOCK) : before;
        }
        known.get(stage).put(world, UNDER_WAY);
        int found = 0;
        List<Move> steps = model.steps(world);
        for (Move step : steps) {
            found |= ends(step.to(), stage);
        }
        if (steps.isEmpty()) {
            found = quiet(world, stage);
        }
        known.get(stage).put(world, found);
        return found;
    }

    private int quiet(World world, int stage) {
        if (stage == stages.size()) {
            return bit(Ending.of(world));
        }
        World next = model.other(world, stages.get(stage)).map(Move::to).orElse(world);
        return ends(next, stage + 1);
    }

    private static int bit(Ending ending) {
        return 1 << ending.ordinal();
    }
}
