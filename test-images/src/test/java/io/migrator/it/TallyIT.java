package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/** Never two copies run, and nothing that was written is lost or written again. */
class TallyIT {
    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    private Path file;

    @BeforeEach
    void noFile() throws Exception {
        file = NODES.shared().resolve("tally-it");
        removeFile();
    }

    @AfterEach
    void removeFile() throws Exception {
        Files.deleteIfExists(file);
    }

    @Test
    void oneUnbrokenRow() throws Exception {
        move();
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    /** A target that cannot tidy up after it let the job go must not make the source go on too. */
    @Test
    void spoolThatCannotBeDeletedMakesNoSecondCopy() throws Exception {
        CompletableFuture<Void> held =
                CompletableFuture.runAsync(() -> {
                    try {
                        NODES.bash(
                                N2,
                                "for _ in {1..3000}; do if d=$(compgen -G"
                                        + " '/dev/shm/migrator-root/m*/memory'); then"
                                        + " d=${d%/memory}; mkdir $d/held; exec mount --bind"
                                        + " /tmp $d/held; fi; sleep 0.005; done; exit 9");
                    } catch (Exception e) {
                        throw new CompletionException(e);
                    }
                });
        try {
            Moved moved = moved();
            assertEquals(0, moved.exit(), moved.err());
            assertTrue(moved.err().contains("could be removed on the target"), moved.err());
            held.get(20, TimeUnit.SECONDS);
        } finally {
            NODES.bash(N2, "umount /dev/shm/migrator-root/m*/held");
        }
        NODES.out(N1, "migrator", "recover"); // has not forgotten it
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    private void move() throws Exception {
        moved().well();
    }

    private Moved moved() throws Exception {
        NODES.start(N1, "job", List.of(), "/shared/bin/tally", "--file", "/shared/tally-it");
        awaitLines(file, 50, N1);
        Moved moved = NODES.migrate(N1, "job");
        awaitLines(file, 50, N2);
        NODES.stop(N2, "job");

        List<String> lines = Files.readAllLines(file);
        int ofN1 = (int) lines.stream().filter(line -> line.endsWith(" " + N1)).count();
        for (int i = 0; i < lines.size(); i++) {
            assertEquals((i + 1) + " " + (i < ofN1 ? N1 : N2), lines.get(i));
        }
        return moved;
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
