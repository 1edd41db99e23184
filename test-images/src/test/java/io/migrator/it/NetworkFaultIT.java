package io.migrator.it;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
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
