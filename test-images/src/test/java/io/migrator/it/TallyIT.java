package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Never two copies run, and nothing that was written is lost or written again. */
class TallyIT {
    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    @Test
    void oneUnbrokenRow() throws Exception {
        Path file = NODES.shared().resolve("tally-it");
        Files.deleteIfExists(file);
        try {
            NODES.start(N1, "job", List.of(), "/shared/bin/tally", "--file", "/shared/tally-it");
            awaitLines(file, 50, N1);
            NODES.migrate(N1, "job").well();
            awaitLines(file, 50, N2);
            NODES.stop(N2, "job");
            NODES.assertAsBefore(N1);
            NODES.assertAsBefore(N2);

            List<String> lines = Files.readAllLines(file);
            int ofN1 = (int) lines.stream().filter(line -> line.endsWith(" " + N1)).count();
            for (int i = 0; i < lines.size(); i++) {
                assertEquals((i + 1) + " " + (i < ofN1 ? N1 : N2), lines.get(i));
            }
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private static void awaitLines(Path file, int count, String node) throws Exception {
        long end = System.nanoTime() + 20_000_000_000L;
        long found = 0;
        while (found < count && System.nanoTime() < end) {
            Thread.sleep(50);
            if (Files.exists(file)) {
                try (var lines = Files.lines(file)) {
                    found = lines.filter(line -> line.endsWith(" " + node)).count();
                }
            }
        }
        assertTrue(found >= count, "the tally grows by " + found + " lines on " + node);
    }
}
