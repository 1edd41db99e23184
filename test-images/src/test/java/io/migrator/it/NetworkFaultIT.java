package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.migrator.fault.FaultPoint;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Crashes and cut links at steps of a move, while another machine talks to the job: its connection
 * lives where the job lives, and nothing of its address is left elsewhere.
 */
class NetworkFaultIT {
    private static final List<String> SERVICE =
            List.of("--service-ip", FaultJob.ADDRESS + "/24@eth0");

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "source-dumping source-jvm",
                "source-held source-side",
                "source-loaded target-side",
                "source-granting source-side",
                "source-taken source-jvm",
                "target-taken receiver",
                "target-resuming receiver",
            })
    void connectionLivesWithTheJob(String name) throws Exception {
        FaultCase each = FaultTable.load().named(name);
        assertEquals("", FaultRig.run(NODES, SERVICE, each).differs(each));
    }

    @ParameterizedTest
    @ValueSource(strings = {"source-sealed source-side", "target-running receiver"})
    void soItDoesInANetworkOfItsOwn(String name) throws Exception {
        List<String> options = new ArrayList<>(SERVICE);
        options.addAll(List.of("--net", "own"));
        FaultCase each = FaultTable.load().named(name);
        assertEquals("", FaultRig.run(NODES, options, each).differs(each));
    }

    /** It may have run on the target: what its peers know is not what it knows. */
    @Test
    void takenBackItsConnectionsEndAtOnce() throws Exception {
        NODES.start(
                N1,
                "job",
                SERVICE,
                "/shared/bin/stream",
                "server",
                "--port",
                "7000",
                "--report",
                TwoNodes.report("job"));
        NODES.awaitFile(N1, TwoNodes.report("job"));
        try (Outside client =
                Outside.start(NODES, "stream", "client", "--to", FaultJob.ADDRESS + ":7000")) {
            FaultBlow blow = new FaultBlow(NODES, FaultPoint.SOURCE_GRANTING);
            blow.arm();
            CompletableFuture<Moved> moving = Moving.start(() -> NODES.migrate(N1, "job"));
            blow.await(moving);
            NODES.link(N2, "down");
            blow.strike(Fault.SOURCE_JVM);
            moving.get(60, TimeUnit.SECONDS);
            assertEquals(4, NODES.run(N1, "migrator", "recover").exit());
            assertEquals("established", client.report().path("state").asText());
            String id =
                    NODES.bash(
                            N1, "basename $(compgen -G '/dev/shm/migrator-root/journal/m*[0-9]')");
            NODES.run(N1, "migrator", "recover", "--take-back", id);
            Thread.sleep(1000);
            assertEquals("Connection reset by peer", client.last().path("state").asText());
            blow.heal();
        }
        try (Outside client =
                Outside.start(NODES, "stream", "client", "--to", FaultJob.ADDRESS + ":7000")) {
            Thread.sleep(500);
            assertEquals(0, client.report().path("errors").asInt());
        }
        NODES.link(N2, "up");
        NODES.out(N1, "migrator", "recover");
    }

    /** One fault of each kind that ends a process, at every step. */
    static Stream<FaultCase> everyStep() throws IOException {
        Pattern wanted = Pattern.compile(System.getProperty("faults", "-jvm|-side|receiver|-criu"));
        return FaultTable.load().cases().stream()
                .filter(each -> wanted.matcher(each.name()).find());
    }

    @Tag("long")
    @ParameterizedTest
    @MethodSource("everyStep")
    void atEveryStep(FaultCase each) throws Exception {
        assertEquals("", FaultRig.run(NODES, SERVICE, each).differs(each));
    }
}
