package io.migrator.ssh;

import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.OptionalInt;

/**
 * A program running on another node.
 *
 * <p>Its output must be read all the time by a thread of its own: what is not read stops, after
 * some hundred kilobytes, everything else on the same connection, standard input included.
 */
public interface RemoteProcess extends AutoCloseable {

    /** The status of a program that told none: killed by a signal, or the link was lost. */
    int NO_STATUS = 255;

    /** Its standard input, for one thread at a time; closing it sends end-of-file. Flush it. */
    OutputStream stdin();

    /** Its standard output, for one thread at a time; ends early or fails when the link is lost. */
    InputStream stdout();

    /** The last 8 KiB it wrote to standard error so far; read all the time, whoever asks. */
    String stderrTail();

    /**
     * Waits for its end.
     *
     * @return the exit status 0 to 255, or empty if it runs on at the limit
     */
    OptionalInt waitFor(Duration limit) throws InterruptedException;

    /** Closes its standard input and output at once. A program that then runs on is not killed. */
    @Override
    void close();
}
