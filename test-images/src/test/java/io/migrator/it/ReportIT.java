package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a migration tells of its own course. */
class ReportIT {
    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    private static final int SEALED_MILLIS = 400;
    private static final int RESTORED_MILLIS = 300;
    private static final int TAKEN_MILLIS = 200;

    /** Of a clock that a time namespace moves, the whole nanoseconds are known. */
    private static final String CLOCK =
            "awk '/^monotonic/ { printf \"%.3f\", $2 * 1e3 + $3 / 1e6 }' /proc/self/timens_offsets";

    /** A step, from when to when. */
    private record Span(double from, double to) {
        static Span of(JsonNode trace, String side, String name) {
            for (JsonNode step : trace.path("steps")) {
                if (step.path("side").asText().equals(side)
                        && step.path("name").asText().equals(name)) {
                    return new Span(
                            step.path("fromMillis").asDouble(), step.path("toMillis").asDouble());
                }
            }
            throw new AssertionError("no " + name + " at the " + side + ": " + trace);
        }

        double length() {
            return to - from;
        }

        void assertIn(Span outer, double error) {
            assertTrue(from >= outer.from - error && to <= outer.to + error, this + " " + outer);
        }
    }

    private static void delay(String node, String plan) throws Exception {
        NODES.bash(
                node,
                "mkdir -p -m 1777 /run/migrator-fault; echo '%s' >/etc/migrator-fault"
                        .formatted(plan));
    }

    @Test
    void whatIsSlowIsWhereItIsAndAsLongAsItIs() throws Exception {
        NODES.startPattern(N1, "job", 32, "--rate", "10");
        delay(N1, "source-sealed=delay:" + SEALED_MILLIS);
        delay(
                N2,
                "target-restored=delay:%d;target-taken=delay:%d"
                        .formatted(RESTORED_MILLIS, TAKEN_MILLIS));
        Moved moved = NODES.migrate(N1, "job").well();
        NODES.verify(N2, "job");
        JsonNode trace = moved.json().path("trace");
        double error = trace.path("clockErrorMillis").asDouble();

        double ahead =
                Double.parseDouble(NODES.bash(N2, CLOCK))
                        - Double.parseDouble(NODES.bash(N1, CLOCK));
        assertEquals(ahead, trace.path("clockOffsetMillis").asDouble(), error);

        Span seal = Span.of(trace, "source", "seal");
        Span images = Span.of(trace, "source", "images");
        assertTrue(images.from - seal.to >= SEALED_MILLIS, seal + " " + images);
        seal.assertIn(Span.of(trace, "source", "dump"), 1);
        images.assertIn(Span.of(trace, "source", "load"), 1);

        Span restores = Span.of(trace, "target", "criu restores");
        assertTrue(restores.length() >= RESTORED_MILLIS, restores::toString);
        restores.assertIn(Span.of(trace, "source", "load"), error);
        Span take = Span.of(trace, "target", "take");
        assertTrue(take.length() >= TAKEN_MILLIS, take::toString);
        take.assertIn(Span.of(trace, "source", "grant"), error);

        JsonNode still = trace.path("job").path(1);
        assertEquals("still", still.path("state").asText());
        double length = still.path("toMillis").asDouble() - still.path("fromMillis").asDouble();
        assertTrue(length >= SEALED_MILLIS + RESTORED_MILLIS + TAKEN_MILLIS, trace::toString);
        assertEquals(moved.json().path("frozenMillis").asDouble(), length, 0.01);
        for (String side : new String[] {"source", "target"}) {
            assertTrue(trace.path(side).path("cpuSeconds").asDouble() > 0, trace::toString);
            assertTrue(trace.path(side).path("peakBytes").asLong() > 1 << 20, trace::toString);
        }
        NODES.stop(N2, "job");
    }

    @Test
    void aMigrationIsDrawn() throws Exception {
        String file = "/root/move.html";
        NODES.startPattern(N1, "job", 16);
        Moved refused = NODES.migrate(N1, "job", "--report", "/no/move.html");
        assertEquals(2, refused.exit(), refused::toString);
        NODES.migrate(N1, "job", "--report", file).well();
        NODES.verify(N2, "job");
        NODES.bash(
                N1,
                "grep -q \"'job' from n1 to n2\" %1$s && grep -q criu.restores %1$s && rm %1$s"
                        .formatted(file));
        NODES.stop(N2, "job");
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }
}
