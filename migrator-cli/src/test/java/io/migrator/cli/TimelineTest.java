package io.migrator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.cli.Timeline.Ink;

import org.junit.jupiter.api.Test;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

class TimelineTest {

    @Test
    void stagesAreDrawnToScaleAndTheLanesSayWhoRuns() {
        Timeline timeline = new Timeline("n1", "n2", phases(), 600);
        assertEquals(
                """
                 check     ==============                                               250 ms
                 dump                    ============================                   500 ms
                 load                                                =======            125 ms
                 handover                                                   ===          62 ms
                 clean                                                         ====      63 ms

                 n1        ###################.................................         337 ms
                 n2                                                            ####      63 ms
                           # the job runs   . it stands still
                """,
                String.join("\n", stripped(timeline.lines(Ink.ASCII))) + "\n");
    }

    @Test
    void blocksAreUsedOnlyWhereTheyCanBeShown() {
        assertEquals(Ink.BLOCKS, Ink.of(StandardCharsets.UTF_8));
        assertEquals(Ink.ASCII, Ink.of(StandardCharsets.US_ASCII));
        assertEquals(Ink.ASCII, Ink.of(StandardCharsets.ISO_8859_1));
        String drawn = String.join("", new Timeline("n1", "n2", phases(), 600).lines(Ink.ASCII));
        assertTrue(StandardCharsets.US_ASCII.newEncoder().canEncode(drawn), drawn);
    }

    /** However long names and times are. */
    @Test
    void everyLineFitsATerminal() {
        Random random = new Random(42);
        for (int round = 0; round < 1000; round++) {
            Map<String, Double> phases = new LinkedHashMap<>();
            for (String name : List.of("check", "precopy", "dump", "load", "handover", "clean")) {
                phases.put(name, random.nextInt(4) == 0 ? 0.0 : random.nextDouble(1e6));
            }
            Timeline timeline =
                    new Timeline("a-node.with.long.name", "n2", phases, random.nextDouble(1e6));
            for (String line : timeline.lines(Ink.BLOCKS)) {
                assertTrue(line.length() <= 80, line);
            }
        }
    }

    /** A stage that takes next to nothing is still to be seen, even at the right edge. */
    @Test
    void whatLastsAtAllIsSeen() {
        Map<String, Double> phases = new LinkedHashMap<>();
        phases.put("dump", 10_000.0);
        phases.put("handover", 0.001);
        Timeline timeline = new Timeline("n1", "n2", phases, 1);
        String handover = timeline.lines(Ink.ASCII).get(1);
        assertTrue(handover.startsWith(" handover ") && handover.contains("="), handover);
    }

    @Test
    void aMigrationWithoutTimesIsDrawnAllTheSame() {
        assertEquals(4, new Timeline("n1", "n2", Map.of(), 0).lines(Ink.ASCII).size());
    }

    private static Map<String, Double> phases() {
        Map<String, Double> phases = new LinkedHashMap<>();
        phases.put("check", 250.0);
        phases.put("precopy", 0.0);
        phases.put("dump", 500.0);
        phases.put("load", 125.0);
        phases.put("handover", 62.0);
        phases.put("clean", 63.0);
        return phases;
    }

    private static List<String> stripped(List<String> lines) {
        return lines.stream().map(String::stripTrailing).toList();
    }
}
