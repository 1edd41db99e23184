package io.migrator.ssh;

import com.jcraft.jsch.ChannelExec;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.function.Supplier;

/** A program at the end of a JSch channel. */
final class JschProcess implements RemoteProcess {

    /** JSch tells nobody that a channel has closed. */
    private static final Duration POLL = Duration.ofMillis(5);

    private final ChannelExec channel;
    private final Supplier<String> whyLost;
    private final BytePipe output = new BytePipe();
    private final Tail errors = new Tail();
    private final OutputStream stdin;

    /**
     * @param channel with its command set, not connected yet
     */
    JschProcess(ChannelExec channel, Supplier<String> whyLost) throws IOException {
        this.channel = channel;
        this.whyLost = whyLost;
        channel.setOutputStream(new LossAware(output.source()));
        channel.setErrStream(errors);
        this.stdin = channel.getOutputStream();
    }

    @Override
    public OutputStream stdin() {
        return stdin;
    }

    @Override
    public InputStream stdout() {
        return output.sink();
    }

    @Override
    public String stderrTail() {
        return errors.text();
    }

    @Override
    public OptionalInt waitFor(Duration limit) throws InterruptedException {
        long deadline = System.nanoTime() + limit.toNanos();
        while (!channel.isClosed()) {
            if (System.nanoTime() - deadline >= 0) {
                return OptionalInt.empty();
            }
            Thread.sleep(POLL);
        }
        int status = channel.getExitStatus();
        return OptionalInt.of(status < 0 ? NO_STATUS : status);
    }

    @Override
    public void close() {
        channel.disconnect();
    }

    /** A server sends end-of-file before it closes a channel; without that the link was lost. */
    private boolean lost() {
        return channel.isClosed() && channel.getExitStatus() < 0;
    }

    /** JSch closes a channel's output alike at its end and when the connection is lost. */
    private final class LossAware extends FilterOutputStream {
        LossAware(OutputStream source) {
            super(source);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            out.write(bytes, offset, length);
        }

        @Override
        public void close() throws IOException {
            if (lost()) {
                output.fail(new IOException(whyLost.get()));
            }
            out.close();
        }
    }
}
