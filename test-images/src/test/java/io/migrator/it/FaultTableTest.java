package io.migrator.it;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.migrator.fault.FaultPoint;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

class FaultTableTest {
    @Test
    void everyFaultAtEveryPointWhereItsVictimLives() throws IOException {
        List<String> wanted = new ArrayList<>();
        for (FaultPoint point : FaultPoint.values()) {
            if (!point.ofHybrid()) { // HybridIT has those
                Fault.at(point).forEach(fault -> wanted.add(point.text() + " " + fault.text()));
            }
        }
        assertEquals(wanted, FaultTable.load().cases().stream().map(FaultCase::name).toList());
    }

    /** What was expected may not contradict the two promises: never lost, one place in the end. */
    @Test
    void everyCaseEndsOnOneNode() throws IOException {
        for (FaultCase each : FaultTable.load().cases()) {
            String name = each.name();
            assertEquals(true, List.of("n1", "n2").contains(each.after()), name);
            assertEquals(true, List.of("stands", each.after()).contains(each.atOnce()), name);
            if (each.exit() == 0) {
                assertEquals("n2", each.after(), name);
            }
            if (each.exit() == 1) {
                assertEquals("n1", each.atOnce(), name);
            }
        }
    }

    @Test
    void theDocumentIsGenerated() throws IOException {
        Path module = Path.of("").toAbsolutePath();
        Path made = Files.createDirectories(module.resolve("target")).resolve("faults.md");
        Files.writeString(made, FaultTable.load().markdown());
        assertEquals(
                Files.readString(made),
                Files.readString(module.resolveSibling("docs/faults.md")),
                "docs/faults.md is old: cp " + made + " docs/faults.md");
    }
}
