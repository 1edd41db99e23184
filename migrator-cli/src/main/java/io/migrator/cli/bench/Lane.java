package io.migrator.cli.bench;

import java.io.IOException;
import java.nio.file.Path;

/** One connection with a far end that is ready to take bytes. Used by one thread. */
sealed interface Lane extends AutoCloseable permits FrameLane, SshLane {
    /**
     * Sends bytes of a {@link RandomFile} and waits until the far end says that it has the last.
     *
     * @return processor seconds that the far end spent on them, its sshd included
     */
    double send(Path source, long bytes) throws IOException;

    /** In words: what carries the bytes. */
    String description();

    @Override
    void close();
}
