package io.migrator.cli.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.cli.bench.MoveCase.Move;

import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Map;

/** From moves to figures. */
class FiguresTest {
    private static final BenchCase CASE =
            new BenchCase("a, \"b\"", 16, 10, 1, 0, "none", "auto", List.of("auto", "by-hand"));

    private static Move move(double gap, Double silence) {
        Way.Told told = new Way.Told(gap - 1, 1000, Map.of("dump", gap / 2, "load", 0.0), null);
        return new Move(gap, silence, 2, 1, 1, 3, 1e6, 2e6, told);
    }

    private static Tried tried(String way, Move... moves) {
        Tried tried = Tried.of(way);
        for (int i = 0; i < moves.length; i++) {
            tried.moves().put(i + 1, moves[i]);
        }
        return tried;
    }

    @Test
    void ratiosAreOfTheSameRound() {
        Tried ours = tried("auto", move(10, null), move(30, null), move(20, null));
        Tried byHand = tried("by-hand", move(100, null), move(600, null));
        MoveCase figures = MoveCase.of(CASE, ours, byHand);
        assertEquals(20, figures.gapMillis());
        assertEquals(20, figures.gapSpreadMillis());
        assertEquals(0.075, figures.ratio()); // of 0.1 and 0.05: the third has no baseline
        assertEquals(Map.of("dump", 10.0), figures.phases());
        assertEquals(350, figures.baseline().gapMillis());
        assertTrue(figures.verified());
    }

    @Test
    void aConnectionIsComparedByItsSilence() {
        Tried ours = tried("auto", move(10, 40.0));
        Tried byHand = tried("by-hand", move(100, 800.0));
        MoveCase figures = MoveCase.of(CASE, ours, byHand);
        assertEquals(0.05, figures.ratio());
        assertEquals(40, figures.silenceMillis());
    }

    @Test
    void whatFailedIsShown() {
        Tried ours = tried("auto");
        ours.failures().add("round 1: no");
        MoveCase figures = MoveCase.of(CASE, ours, tried("by-hand", move(100, null)));
        assertNull(figures.gapMillis());
        assertNull(figures.ratio());
        assertFalse(figures.verified());
        assertEquals(List.of("round 1: no"), figures.failures());
    }

    @Test
    void tablesHaveTheirColumnsInOneOrder() {
        String csv = Csv.of(List.of(MoveCase.of(CASE, tried("by-hand", move(9, null)), null)));
        List<String> lines = csv.lines().toList();
        assertTrue(lines.getFirst().startsWith("name,way,payload,memory,"), lines.getFirst());
        assertTrue(
                lines.getLast().startsWith("\"a, \"\"b\"\"\",by-hand,pattern,by-hand,"),
                lines.getLast());
        assertEquals(2, lines.size());
    }
}
