package io.migrator.it;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Every case of docs/faults.md. What is seen goes to target/faults-precopy.tsv; copied to
 * test-images/src/test/resources it becomes a column of that page. {@code -Dfaults=REGEX} does
 * those cases only whose name ({@code source-held ssh}) it is found in; {@code -Dfaults.seen=FILE}
 * names another file, so that two labs can share the work. {@code -Dfaults.way=stop} does them in
 * another way, see {@link FaultWay}.
 */
@Tag("long")
class FaultTableIT {
    private static final int MOVE_EVERY = 20;

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    private static final FaultWay WAY = FaultWay.of(System.getProperty("faults.way", "precopy"));
    private static final Path SEEN =
            Path.of(System.getProperty("faults.seen", "target/" + WAY.file()));
    private static final List<String> DIFFERING = new ArrayList<>();
    private static int done;
    private static long doubled;
    private static long lost;

    static Stream<FaultCase> cases() throws IOException {
        Pattern wanted = Pattern.compile(System.getProperty("faults", ""));
        return FaultTable.load().cases().stream()
                .map(WAY::of)
                .filter(each -> WAY.comesTo(each.point()))
                .filter(each -> wanted.matcher(each.name()).find());
    }

    @BeforeAll
    static void newFile() throws Exception {
        if (!WAY.ofRoot()) {
            NODES.setUp();
        }
        Files.writeString(SEEN, FaultSeen.HEAD + "\n");
    }

    @ParameterizedTest
    @MethodSource("cases")
    void cameAsExpected(FaultCase each) throws Exception {
        FaultSeen seen = seen(each);
        Files.writeString(SEEN, seen.line(each) + "\n", StandardOpenOption.APPEND);
        doubled += seen.doubled();
        lost += seen.lost();
        done++;
        String differs = seen.differs(each);
        if (!differs.isEmpty()) {
            DIFFERING.add(each.name() + ": " + differs);
            System.out.printf("faults: %s: %s%n%s%n", each.name(), differs, seen.said());
        }
        assertEquals("", differs, each.name());
        if (done % MOVE_EVERY == 0) {
            theNextMigrationIsWell();
        }
    }

    /** A case that could not be done at all is a line of the file, too. */
    private static FaultSeen seen(FaultCase each) {
        try {
            return FaultRig.run(NODES, WAY, each);
        } catch (Exception | AssertionError e) {
            Throwable cause = e instanceof CompletionException ? e.getCause() : e;
            return new FaultSeen(
                    each.name(), -1, "?", "?", "?", 0, 0, List.of("not done: " + cause), 0, "");
        }
    }

    private static void theNextMigrationIsWell() throws Exception {
        String node = TwoNodes.N1;
        if (NODES.listed(node, FaultJob.NAME).isMissingNode()) {
            NODES.startPattern(node, FaultJob.NAME, 64);
        }
        NODES.migrate(node, FaultJob.NAME).well();
        NODES.verify(TwoNodes.N2, FaultJob.NAME);
    }

    @AfterAll
    static void summary() {
        System.out.printf(
                "faults: %d cases, %d doubled, %d lost, %d differ%n",
                done, doubled, lost, DIFFERING.size());
        DIFFERING.forEach(each -> System.out.println("faults: " + each));
    }
}
