package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

/** A job goes to and fro, whole each time, and leaves nothing behind. */
class MoveIT {
    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    @Test
    void toAndFro() throws Exception {
        toAndFro(2);
    }

    @Tag("long")
    @Test
    void twentyTimesToAndFro() throws Exception {
        toAndFro(20);
    }

    private static void toAndFro(int moves) throws Exception {
        NODES.startPattern(N1, "job", 256, "--rate", "20", "--threads", "4");
        String node = N1;
        long writes = 0;
        for (int move = 1; move <= moves; move++) {
            Moved moved = NODES.migrate(node, "job").well();
            assertEquals(node, moved.json().path("from").asText());
            node = TwoNodes.other(node);
            assertEquals(node, moved.json().path("to").asText());
            assertTrue(moved.json().path("memoryBytes").asLong() >= 256L << 20);

            var report = NODES.verify(node, "job");
            assertEquals(256 * 256, report.path("pages").asInt());
            assertTrue(report.path("writes").asLong() > writes, report::toString);
            writes = report.path("writes").asLong();
            NODES.assertAsBefore(TwoNodes.other(node));
        }
        NODES.stop(node, "job");
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    /** One that ran out while the job stood still was lost, and the job with it. */
    @Tag("long")
    @ParameterizedTest
    @ValueSource(strings = {"read", "sigwait"})
    void aTimerWakesWhoWaitsInAnotherCall(String in) throws Exception {
        aTimerWakesWhoWaitsForIt(in);
    }

    @ParameterizedTest
    @ValueSource(strings = "pause")
    void aTimerWakesWhoWaitsForIt(String in) throws Exception {
        String file = NODES.reportOf("nap");
        NODES.start(N1, "nap", List.of(), "/shared/bin/nap", "--file", file, "--in", in);
        NODES.awaitFile(N1, file);
        String node = N1;
        for (String memory : List.of("precopy", "stop")) {
            NODES.migrate(node, "nap", "--memory", memory).well();
            node = TwoNodes.other(node);
            String wakes =
                    "before=$(cat %1$s); for _ in {1..200}; do sleep 0.05;".formatted(file)
                            + " [[ $(cat %s) != \"$before\" ]] && exit; done; exit 1"
                                    .formatted(file);
            NODES.bash(node, wakes);
        }
        NODES.stop(node, "nap");
    }
}
