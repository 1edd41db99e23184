package io.migrator.it;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Cases of docs/faults.md with alice's job, which is sealed by signals beside criu's hold. */
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

    @Tag("long")
    @ParameterizedTest
    @ValueSource(
            strings = {
                "source-sealed source-criu",
                "target-resuming receiver",
                "source-held source-jvm",
                "source-loaded source-side",
                "source-taken source-jvm",
                "target-taken target-criu",
            })
    void moreInUserNamespace(String name) throws Exception {
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

    @Tag("long")
    @ParameterizedTest
    @ValueSource(
            strings = {
                "source-granting source-jvm",
                "target-loaded receiver",
                "source-sealed source-side",
                "target-restored target-side",
                "target-resuming target-side",
            })
    void moreOfTheSetuidStarter(String name) throws Exception {
        cameAsExpected(name, FaultWay.SETUID);
    }

    private static void cameAsExpected(String name, FaultWay way) throws Exception {
        FaultCase each = FaultTable.load().named(name);
        FaultSeen seen = FaultRig.run(NODES, way, each);
        assertEquals("", seen.differs(each.silent()), seen.said());
    }
}
