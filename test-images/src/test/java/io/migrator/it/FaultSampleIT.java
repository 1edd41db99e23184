package io.migrator.it;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A dozen cases of docs/faults.md, of each kind one that takes no long wait. */
@Tag("long") // two to three minutes
class FaultSampleIT {
    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "source-dumping source-criu",
                "source-held source-jvm",
                "source-sealed source-side",
                "source-loaded source-jvm",
                "source-loaded full",
                "source-granting source-side",
                "source-granting receiver",
                "source-taken source-jvm",
                "target-restored target-side",
                "target-taking receiver",
                "target-taken target-criu",
                "target-resuming receiver",
            })
    void cameAsExpected(String name) throws Exception {
        FaultCase each = FaultTable.load().named(name);
        assertEquals("", FaultRig.run(NODES, FaultWay.PRECOPY, each).differs(each));
    }
}
