package io.migrator.ssh;

import io.migrator.problem.Problem;

import java.util.List;

/**
 * A way to a node on which this user may run programs; made by {@link Dialer}. Safe for several
 * threads. Closing it ends what was started over it.
 */
public sealed interface Transport extends AutoCloseable permits JschTransport, OpenSshTransport {

    /**
     * Starts a program on the node.
     *
     * @param command its words, which arrive unchanged; found by the login shell's PATH
     * @throws Problem if the connection does not carry it; a program that cannot be found is
     *     instead seen in {@link RemoteProcess#waitFor} (127) and {@link RemoteProcess#stderrTail}
     */
    RemoteProcess start(List<String> command) throws Problem;

    /** In words, for progress and reports: what carries the data. */
    String description();

    @Override
    void close();
}
