package io.migrator.it;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Cases of docs/faults.md with alice's job, which is sealed by signals beside criu's hold. */
class UserFaultIT {
    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "source-held source-jvm",
                "source-sealed source-criu",
                "source-loaded source-side",
                "source-granting source-side",
                "source-taken source-jvm",
                "target-restored target-side",
                "target-taken target-criu",
                "target-resuming receiver",
            })
    void cameAsExpected(String name) throws Exception {
        FaultCase each = FaultTable.load().named(name);
        FaultSeen seen = FaultRig.run(NODES, NODES.as("alice"), each);
        assertEquals("", seen.differs(each.silent()), seen.said());
    }
}
