package io.migrator.handover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.handover.Explorer.Counterexample;
import io.migrator.handover.Explorer.Figures;
import io.migrator.handover.Handover.Target;
import io.migrator.handover.Handover.TargetAction;
import io.migrator.handover.Handover.TargetEvent;
import io.migrator.handover.Handover.TargetStep;
import io.migrator.handover.Rules.Habit;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Never two, never lost, never without a rule: in every world that {@link Handover} can lead to.
 */
class HandoverTest {
    private static final Path PAGE = Path.of("..", "docs", "handover.md");
    private static final Rules RULES = Rules.real();
    private static final Map<Planted, Counterexample> FOUND = new EnumMap<>(Planted.class);
    private static Figures figures;

    @BeforeAll
    static void explore() {
        figures = new Explorer(RULES, Endings.ALONE, "").explore();
        for (Planted fault : Planted.values()) {
            fault.find().ifPresent(found -> FOUND.put(fault, found));
        }
    }

    @Test
    void nothingGoesWrongInAnyWorld() {
        assertEquals("", figures.wrong().map(Counterexample::toString).orElse(""));
        assertTrue(figures.states() > 10_000, "hardly anything was explored: " + figures);
    }

    @Test
    void withoutAPersonOrAFaultTheJobArrives() {
        assertEquals(0, figures.endings().get(Ending.ON_TARGET).faults());
        assertEquals(1, figures.endings().get(Ending.ON_SOURCE).faults());
    }

    /** Memory that comes before the grant, and memory that comes after it. */
    @Test
    void bothKindsOfMigrationsArrive() {
        Endings endings = new Endings(new Model(Rules.real()), Endings.ALONE);
        assertEquals(2, World.starts().stream().map(World::fills).distinct().count());
        for (World start : World.starts()) {
            assertEquals(Set.of(Ending.ON_TARGET), endings.of(start), start::toString);
        }
    }

    /** Each rule of the filling is needed in some world, but those only a person leads to. */
    @Test
    void everyRuleOfTheFillingIsUsed() {
        assertTrue(
                RULES.used()
                        .containsAll(
                                Set.of(
                                        "source GRANTED x TARGET_FILLS",
                                        "source OPEN x TARGET_FILLS",
                                        "target TAKEN x RESUME_FILLING",
                                        "target TAKEN x FOUND_FILLING",
                                        "target FILLING x FILLED",
                                        "target FILLING x GIVE_UP",
                                        "target FILLING x SOURCE_DONE")),
                () -> RULES.used().toString());
    }

    @Test
    void whatWaitsForAPersonRunsAfterADecision() {
        Figures decided = new Explorer(Rules.real(), Endings.WITH_PERSON, "").explore();
        assertEquals("", decided.wrong().map(Counterexample::toString).orElse(""));
        for (Ending waits :
                Set.of(
                        Ending.WAITS_FOR_PERSON,
                        Ending.WAITS_FOR_LINE,
                        Ending.FILLING_WAITS_FOR_LINE,
                        Ending.ON_SOURCE_UNTOLD)) {
            assertTrue(figures.endings().containsKey(waits), waits.meaning);
            assertFalse(decided.endings().containsKey(waits), waits.meaning);
        }
    }

    /** The rule that is missing as long as TAKEN_NEVER_RAN is among the endings. */
    @Test
    void aTakenJobThatIsRestoredAgainNeverStands() {
        Rules rules =
                Rules.real()
                        .with(Habit.RESTORES_AGAIN)
                        .withTarget(
                                Target.TAKEN,
                                TargetEvent.LOAD,
                                new TargetStep(Target.TAKEN, TargetAction.LET_GO));
        Figures again = new Explorer(rules, Endings.ALONE, "").explore();
        assertEquals("", again.wrong().map(Counterexample::toString).orElse(""));
        assertFalse(again.endings().containsKey(Ending.TAKEN_NEVER_RAN));
    }

    @TestFactory
    Stream<DynamicTest> everyPlantedFaultIsFound() {
        return Stream.of(Planted.values())
                .map(fault -> DynamicTest.dynamicTest(fault.what, () -> find(fault)));
    }

    private static void find(Planted fault) {
        Counterexample found = FOUND.get(fault);
        assertNotNull(found);
        assertTrue(found.what().startsWith(fault.sought), found::toString);
        assertFalse(found.trace().isEmpty());
        if (Boolean.getBoolean("handover.print")) {
            System.out.println(fault.what + "\n" + found + "\n");
        }
    }

    @Test
    void thePageSaysWhatWasExplored() throws IOException {
        String text = new HandoverPage(figures, RULES.used(), FOUND).text();
        if (Boolean.getBoolean("handover.write")) {
            Files.writeString(PAGE, text);
        }
        assertEquals(
                text,
                Files.exists(PAGE) ? Files.readString(PAGE) : "",
                "docs/handover.md is not what was explored; run this test with"
                        + " -Dhandover.write=true");
    }
}
