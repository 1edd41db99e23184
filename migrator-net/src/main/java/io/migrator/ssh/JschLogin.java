package io.migrator.ssh;

import io.migrator.problem.Problem;

/** How a login with JSch came out, where another client might do better. */
sealed interface JschLogin {

    record In(JschTransport transport) implements JschLogin {}

    /**
     * JSch cannot, which does not mean that nobody can. Never about a host key: those are refused
     * for every client, by a thrown problem.
     */
    record Unable(Problem why) implements JschLogin {}
}
