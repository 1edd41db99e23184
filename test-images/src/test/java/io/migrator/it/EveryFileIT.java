package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import io.migrator.fault.FaultPoint;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.io.InputStream;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * A job that writes to files of every kind at once, a database among them (clerk.py): when it is
 * held on the target, and nothing of it has run there, each is as it was when it was frozen.
 */
@Tag("long")
class EveryFileIT {
    private static final String PROGRAM = "/shared/it/clerk.py";
    private static final String SCRATCH = "/srv/scratch";
    private static final String DIRECTORY = SCRATCH + "/clerk";
    private static final String LOG = "/shared/it/clerk-log";
    private static final String LAYER = "/var/clerk/layer";
    private static final String SHM = "it-clerk";
    private static final String OVERLAY = "/tmp/it-overlay";

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    @BeforeAll
    static void makeImage() throws Exception {
        NODES.makeApps();
        NODES.bash(N1, "mkdir -p -m 1777 /shared/it");
        try (InputStream program = EveryFileIT.class.getResourceAsStream("/clerk.py")) {
            Files.write(NODES.shared().resolve("it/clerk.py"), program.readAllBytes());
        }
    }

    @BeforeEach
    void clean() throws Exception {
        String all = "rm -rf %s /dev/shm/%s %s %s && mkdir -p -m 1777 %s";
        for (String node : TwoNodes.BOTH) {
            NODES.bash(node, all.formatted(SCRATCH, SHM, OVERLAY, LOG, SCRATCH));
        }
        NODES.bash(N1, "mkdir " + OVERLAY);
    }

    @AfterEach
    void cleanUp() throws Exception {
        clean();
        for (String node : TwoNodes.BOTH) {
            NODES.bash(node, "rm -rf %s %s".formatted(SCRATCH, OVERLAY));
        }
    }

    @Test
    void inMemory() throws Exception {
        moves("--writable-tmpfs");
    }

    @Test
    void inAnOverlay() throws Exception {
        moves("--overlay", OVERLAY);
    }

    private static void moves(String... layered) throws Exception {
        List<String> options = new ArrayList<>(List.of("--bind", SCRATCH + ":" + SCRATCH));
        options.addAll(List.of(layered));
        options.add(TwoNodes.APPS);
        String report = NODES.reportOf("job");
        NODES.start(N1, "job", options, "python3", PROGRAM, DIRECTORY, LOG, LAYER, SHM, report);
        NODES.awaitFile(N1, report);
        check(N1);
        moveAndCompare();
        check(N2);
        NODES.migrate(N2, "job").well();
        check(N1);
        NODES.stop(N1, "job");
    }

    private static void check(String node) throws Exception {
        JsonNode report = NODES.report(node, "job", "USR2");
        assertTrue(report.path("ok").asBoolean(), report::toString);
        assertEquals(node, report.path("node").asText(), report::toString);
    }

    /** Both nodes are held: the source when it is sealed, the target when it has loaded. */
    private static void moveAndCompare() throws Exception {
        FaultBlow frozen = new FaultBlow(NODES, FaultPoint.SOURCE_SEALED);
        FaultBlow loaded = new FaultBlow(NODES, FaultPoint.TARGET_LOADED);
        frozen.arm();
        loaded.arm();
        CompletableFuture<Moved> moving = Moving.start(() -> NODES.migrate(N1, "job"));
        try {
            frozen.await(moving);
            String before = digests(N1);
            frozen.release();
            loaded.await(moving);
            assertEquals(before, digests(N2));
            loaded.release();
            moving.get(120, TimeUnit.SECONDS).well();
        } finally {
            frozen.heal();
        }
    }

    private static String digests(String node) throws Exception {
        String paths =
                "appinit=$(grep -o '\"pid\":[0-9]*'"
                        + " /root/.apptainer/instances/app/%s/root/job/job.json | cut -d: -f2); cd"
                        + " /proc/$appinit/root; sha256sum .%s/out .%s/sparse .%s/book.db"
                        + " .%s/book.db-wal .%s/book.db-shm .%s .%s ./dev/shm/%s";
        return NODES.bash(
                node,
                paths.formatted(
                        node, DIRECTORY, DIRECTORY, DIRECTORY, DIRECTORY, DIRECTORY, LOG, LAYER,
                        SHM));
    }
}
