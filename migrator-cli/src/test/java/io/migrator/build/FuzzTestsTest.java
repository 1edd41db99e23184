package io.migrator.build;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Fuzz tests of all modules: a JVM fuzzes one method and passes over any other, silently. */
class FuzzTestsTest {
    private static final Path TOP = Path.of("").toAbsolutePath().getParent();

    @Test
    void eachFuzzesOneThingAndIsInTheTable() throws IOException {
        String page = Files.readString(TOP.resolve("docs/fuzzing.md"));
        List<Path> all = all();
        assertFalse(all.isEmpty());
        for (Path each : all) {
            String name = each.getFileName().toString().replace(".java", "");
            String text = Files.readString(each);
            long targets = text.lines().filter(line -> line.strip().equals("@FuzzTest")).count();
            assertEquals(1, targets, name);
            assertTrue(page.contains("| " + name.replace("FuzzTest", "") + " |"), name);
        }
    }

    private static List<Path> all() throws IOException {
        try (Stream<Path> modules = Files.list(TOP)) {
            List<Path> found = new ArrayList<>();
            for (Path each : modules.map(module -> module.resolve("src/test/java")).toList()) {
                if (Files.isDirectory(each)) {
                    try (Stream<Path> files = Files.walk(each)) {
                        files.filter(file -> file.toString().endsWith("FuzzTest.java"))
                                .forEach(found::add);
                    }
                }
            }
            return found;
        }
    }
}
