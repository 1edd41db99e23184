package io.migrator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.List;

/** The reports are those of a real demo, cut to what is looked at. */
class DemoVerdictTest {
    private static final String PATTERN =
            """
            {"seq":%d,"node":"%s","pages":131072,"bad":0,"verified":true,"writes":%d,
             "maxGapMillis":5303.7,"clockStepsBack":0}
            """;
    private static final String STREAM =
            """
            {"seq":%d,"role":"client","node":"%s","state":"established","connections":1,
             "accepted":1,"lost":0,"sent":9,"received":%d,"errors":0,"longestGapMillis":5306.1}
            """;

    private DemoJob.Reports before;
    private DemoJob.Reports after;
    private DemoJob.Reports later;

    @BeforeEach
    void makeGoodReports() throws IOException {
        before = reports(1, "n1");
        after = reports(2, "n2");
        later = reports(3, "n2");
    }

    @Test
    void aJobThatCameThroughHasNoFaults() {
        DemoVerdict verdict = new DemoVerdict(before, after, later);
        assertEquals(List.of(), verdict.faults("n2"));
        assertEquals(131072, verdict.pages());
        assertEquals(2000, verdict.records());
        assertEquals(5303.7, verdict.memoryGapMillis());
        assertEquals(5306.1, verdict.connectionGapMillis());
    }

    @Test
    void aWrongPageIsAFault() {
        pattern(after).put("bad", 1).put("verified", false);
        assertFault("pages are wrong");
    }

    @Test
    void memoryThatWasNotVerifiedIsAFault() {
        pattern(after).put("verified", false);
        assertFault("memory is unverified");
    }

    @Test
    void aJobThatIsStillOnTheSourceIsAFault() {
        pattern(after).put("node", "n1");
        assertFault("not on n2");
    }

    @Test
    void aJobThatDoesNotGoOnIsAFault() {
        pattern(later).put("writes", pattern(after).get("writes").asLong());
        assertFault("does not go on writing");
    }

    @Test
    void aClockThatWentBackIsAFault() {
        pattern(after).put("clockStepsBack", 1);
        assertFault("clock went back");
    }

    @Test
    void aLostConnectionIsAFault() {
        ((ObjectNode) later.server()).put("lost", 1).put("connections", 0);
        assertFault("server's connection was harmed");
    }

    @Test
    void aWrongRecordIsAFault() {
        ((ObjectNode) later.client()).put("errors", 1);
        assertFault("client's connection was harmed");
    }

    @Test
    void aConnectionThatIsSilentIsAFault() {
        ((ObjectNode) later.client()).put("received", after.client().get("received").asLong());
        assertFault("client receives no more");
    }

    /** A report of another shape must not pass for a good one. */
    @Test
    void emptyReportsAreFaults() {
        ObjectNode empty = new ObjectMapper().createObjectNode();
        DemoJob.Reports none = new DemoJob.Reports(empty, empty, empty);
        assertEquals(9, new DemoVerdict(none, none, none).faults("n2").size());
    }

    private void assertFault(String part) {
        List<String> faults = new DemoVerdict(before, after, later).faults("n2");
        assertTrue(faults.stream().anyMatch(fault -> fault.contains(part)), faults.toString());
    }

    private static ObjectNode pattern(DemoJob.Reports reports) {
        return (ObjectNode) reports.pattern();
    }

    private static DemoJob.Reports reports(int sequence, String node) throws IOException {
        ObjectMapper json = new ObjectMapper();
        String stream = STREAM.formatted(sequence, node, 1000 * sequence);
        return new DemoJob.Reports(
                json.readTree(PATTERN.formatted(sequence, node, 100 * sequence)),
                json.readTree(stream),
                json.readTree(stream));
    }
}
