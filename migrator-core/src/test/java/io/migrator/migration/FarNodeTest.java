package io.migrator.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.migrator.handover.Handover.SourceEvent;
import io.migrator.handover.Handover.Target;

import org.junit.jupiter.api.Test;

class FarNodeTest {
    private static SourceEvent event(Target state, String boot) {
        return new FarNode.Answer(state, boot).event("aa-1");
    }

    private static SourceEvent closing(Target state, String boot) {
        return new FarNode.Answer(state, boot).closing("aa-1");
    }

    @Test
    void aTargetThatLacksMemoryIsNotOneThatRuns() {
        assertEquals(SourceEvent.TARGET_FILLS, event(Target.FILLING, "aa-1"));
        assertEquals(SourceEvent.TARGET_RUNS, event(Target.RUNNING, "aa-1"));
        assertEquals(SourceEvent.TARGET_FILLS, closing(Target.FILLING, "aa-1"));
    }

    @Test
    void anotherStartOfTheNodeKnowsNothing() {
        for (Target state : Target.values()) {
            assertEquals(SourceEvent.TARGET_UNKNOWN, event(state, "bb-2"));
            assertEquals(SourceEvent.TARGET_REFUSED, closing(state, "bb-2"));
        }
    }
}
