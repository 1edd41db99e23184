package io.migrator.cli;

import com.fasterxml.jackson.databind.JsonNode;

import java.util.ArrayList;
import java.util.List;

/**
 * Whether the demo's job came through unharmed, by its own reports.
 *
 * @param before the last ones from the source
 * @param after the first ones from the target, with all memory verified
 * @param later the ones after these, which show that it goes on
 */
record DemoVerdict(DemoJob.Reports before, DemoJob.Reports after, DemoJob.Reports later) {
    /** Everything that is wrong, in words; empty if all is right. */
    List<String> faults(String target) {
        List<String> faults = new ArrayList<>();
        memory(target, faults);
        connection("client", target, before.client(), after.client(), later.client(), faults);
        connection("server", target, before.server(), after.server(), later.server(), faults);
        return faults;
    }

    /** Milliseconds that the payload missed between two ticks of its own clock. */
    double memoryGapMillis() {
        return after.pattern().path("maxGapMillis").asDouble();
    }

    /** Milliseconds in which nothing arrived over the connection. */
    double connectionGapMillis() {
        return after.client().path("longestGapMillis").asDouble();
    }

    long pages() {
        return after.pattern().path("pages").asLong();
    }

    /** Records that the client got from before the move until the last report. */
    long records() {
        return received(later.client()) - received(before.client());
    }

    private void memory(String target, List<String> faults) {
        JsonNode pattern = after.pattern();
        expect(pattern.path("bad").asLong(-1) == 0, faults, "pages are wrong: " + pattern);
        expect(pattern.path("verified").asBoolean(), faults, "memory is unverified: " + pattern);
        expect(
                pattern.path("node").asText().equals(target),
                faults,
                "the memory is not on " + target + ": " + pattern);
        expect(
                pattern.path("clockStepsBack").asLong(-1) == 0,
                faults,
                "a clock went back: " + pattern);
        expect(
                later.pattern().path("writes").asLong() > pattern.path("writes").asLong(),
                faults,
                "the job does not go on writing: " + later.pattern());
    }

    private static void connection(
            String side,
            String target,
            JsonNode before,
            JsonNode after,
            JsonNode later,
            List<String> faults) {
        boolean sound =
                later.path("errors").asLong(-1) == 0
                        && later.path("lost").asLong(-1) == 0
                        && later.path("connections").asLong() == 1
                        && later.path("node").asText().equals(target);
        expect(sound, faults, "the " + side + "'s connection was harmed: " + later);
        expect(
                received(before) < received(after) && received(after) < received(later),
                faults,
                "the " + side + " receives no more: " + later);
    }

    private static long received(JsonNode report) {
        return report.path("received").asLong();
    }

    private static void expect(boolean right, List<String> faults, String otherwise) {
        if (!right) {
            faults.add(otherwise);
        }
    }
}
