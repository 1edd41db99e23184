package io.migrator.it;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Cases of docs/faults.md with alice's job, which is sealed by signals beside criu's hold; all are
 * done by {@code FaultTableIT -Dfaults.way=user} and {@code setuid}.
 */
class UserFaultIT {
    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    @BeforeAll
    static void installEntry() throws Exception {
        NODES.setUp();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "source-granting source-side",
                "target-restored target-side",
            })
    void inUserNamespace(String name) throws Exception {
        cameAsExpected(name, FaultWay.USER);
    }

    /** criu and its parent are hers there, too, but sudo stands between. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "source-held source-foothold",
            })
    void ofTheSetuidStarter(String name) throws Exception {
        cameAsExpected(name, FaultWay.SETUID);
    }

    private static void cameAsExpected(String name, FaultWay way) throws Exception {
        FaultCase each = FaultTable.load().named(name);
        FaultSeen seen = FaultRig.run(NODES, way, each);
        assertEquals("", seen.differs(way.of(each)), seen.said());
    }
}
