package io.migrator.handover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.migrator.handover.Handover.Source;
import io.migrator.handover.Handover.SourceAction;
import io.migrator.handover.Handover.SourceEvent;
import io.migrator.handover.Handover.SourceStep;
import io.migrator.handover.Handover.Target;
import io.migrator.handover.Handover.TargetAction;
import io.migrator.handover.Handover.TargetEvent;
import io.migrator.handover.Handover.TargetStep;

import org.junit.jupiter.api.Test;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/** The rules of a job whose memory comes after it was let go, one by one. */
class HandoverRulesTest {
    private static final Set<TargetEvent> OF_FILLING =
            EnumSet.of(TargetEvent.RESUME_FILLING, TargetEvent.FOUND_FILLING, TargetEvent.FILLED);

    private static Map<TargetEvent, TargetStep> rules(Target state, Set<TargetEvent> events) {
        Map<TargetEvent, TargetStep> rules = new EnumMap<>(TargetEvent.class);
        for (TargetEvent event : events) {
            try {
                rules.put(event, Handover.next(state, event));
            } catch (IllegalStateException e) {
                assertEquals("no rule for " + event + " in " + state, e.getMessage());
            }
        }
        return rules;
    }

    @Test
    void theTargetFillsUntilAllIsThere() {
        assertEquals(
                Map.of(
                        TargetEvent.FILLED, new TargetStep(Target.RUNNING, TargetAction.NOTHING),
                        TargetEvent.GIVE_UP, new TargetStep(Target.FILLING, TargetAction.NOTHING),
                        TargetEvent.SOURCE_DONE, new TargetStep(Target.NONE, TargetAction.DISCARD)),
                rules(Target.FILLING, EnumSet.allOf(TargetEvent.class)));
    }

    @Test
    void onlyWhatWasTakenBeginsToFill() {
        TargetStep fills = new TargetStep(Target.FILLING, TargetAction.NOTHING);
        assertEquals(
                Map.of(TargetEvent.RESUME_FILLING, fills, TargetEvent.FOUND_FILLING, fills),
                rules(Target.TAKEN, OF_FILLING));
        for (Target state : EnumSet.complementOf(EnumSet.of(Target.TAKEN, Target.FILLING))) {
            assertEquals(Map.of(), rules(state, OF_FILLING));
        }
    }

    @Test
    void theSourceStandsStillWhileItSends() {
        for (Source state : Source.values()) {
            switch (state) {
                case GRANTED ->
                        assertEquals(
                                new SourceStep(Source.GRANTED, SourceAction.FILL),
                                Handover.next(state, SourceEvent.TARGET_FILLS));
                case OPEN ->
                        assertEquals(
                                new SourceStep(Source.RUNNING, SourceAction.FORGET),
                                Handover.next(state, SourceEvent.TARGET_FILLS));
                case RUNNING, COPYING, HELD, SEALED, GONE ->
                        assertThrows(
                                IllegalStateException.class,
                                () -> Handover.next(state, SourceEvent.TARGET_FILLS));
            }
        }
    }
}
