package io.migrator.cli.bench;

import io.migrator.cli.bench.MoveCase.Move;
import io.migrator.cli.report.DrawnMove;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What came of one case in one way, by rounds.
 *
 * @param way one of {@link Ways}
 * @param moves by their rounds
 * @param failures in words
 */
record Tried(String way, Map<Integer, Move> moves, List<String> failures) {
    static Tried of(String way) {
        return new Tried(way, new TreeMap<>(), new ArrayList<>());
    }

    List<Move> all() {
        return List.copyOf(moves.values());
    }

    boolean isBaseline() {
        return way.equals(Ways.BASELINE);
    }

    /** Of the standstills in the rounds in which both did it. */
    List<Double> ratios(Tried to) {
        List<Double> found = new ArrayList<>();
        moves.forEach((round, move) -> {
            Move other = to.moves.get(round);
            if (other != null) {
                found.add(move.standstillMillis() / other.standstillMillis());
            }
        });
        return found;
    }

    /** The move whose gap is in the middle, if the way tells what it did when. */
    Optional<DrawnMove> drawn(String name) {
        List<Move> byGap =
                all().stream().sorted(Comparator.comparingDouble(Move::gapMillis)).toList();
        if (byGap.isEmpty()) {
            return Optional.empty();
        }
        Move middle = byGap.get(byGap.size() / 2);
        return Optional.ofNullable(middle.told().drawn())
                .map(told -> new DrawnMove(name, told, middle.gapMillis(), middle.silenceMillis()));
    }
}
