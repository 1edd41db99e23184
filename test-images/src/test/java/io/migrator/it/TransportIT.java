package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Both ways to reach a node do the same. */
class TransportIT {
    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    @ParameterizedTest
    @ValueSource(strings = {"jsch", "ssh"})
    void carriesAJob(String transport) throws Exception {
        NODES.startPattern(N1, "job", 64, "--rate", "20");
        NODES.migrate(N1, "job", "--transport", transport).well();
        NODES.verify(N2, "job");
        NODES.migrate(N2, "job", "--transport", transport).well();
        NODES.verify(N1, "job");
        NODES.stop(N1, "job");
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }
}
