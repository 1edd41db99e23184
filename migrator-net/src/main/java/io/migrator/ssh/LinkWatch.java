package io.migrator.ssh;

import org.jspecify.annotations.Nullable;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Notices a dead link: asks for a sign of life after 5 s of silence and cuts the link after 15 s.
 *
 * <p>JSch's own keep-alive is not used, because it is sent by the reading thread under the lock
 * that a writer holds: when the network is cut in the midst of bulk data, the writer is stuck in
 * the socket with that lock and the keep-alive waits behind it, for the kernel's 15 minutes. Here
 * closing the socket from a thread of its own frees both.
 *
 * <p>Silence counts only while somebody waits for bytes, so a slow consumer is not a dead link.
 * JSch's reading thread may itself be stuck behind that writer, with an answer to send, and wait
 * for nothing: so a single write that takes those 15 s ends the link too. The peer's sshd always
 * reads, for a consumer of its own that does not is kept waiting by the channel's window.
 */
final class LinkWatch implements AutoCloseable {

    static final Duration PING_AFTER = Duration.ofSeconds(5);
    static final Duration DEAD_AFTER = Duration.ofSeconds(15);
    private static final Duration STEP = Duration.ofMillis(500);

    /** One read takes many SSH packets; JSch asks for each in two parts. */
    private static final int READ_AHEAD_BYTES = 64 << 10;

    /** Asks the peer for an answer, whatever it is. May block. */
    @FunctionalInterface
    interface Ping {
        void send() throws Exception;
    }

    private final Closeable link;
    private final Duration deadAfter;
    private final AtomicBoolean pinging = new AtomicBoolean();
    private final Wait reading = new Wait();
    private final Wait writing = new Wait();
    private volatile boolean closed;
    private volatile boolean dead;
    private volatile @Nullable Ping ping;

    /**
     * @param link is closed when it is found dead
     */
    LinkWatch(Closeable link, Duration deadAfter) {
        this.link = link;
        this.deadAfter = deadAfter;
    }

    /** The stream to read the link by; also begins the watch. */
    InputStream watched(InputStream in) {
        Thread.ofPlatform().daemon().name("ssh link watch").start(this::watch);
        return new BufferedInputStream(new TimedInput(in), READ_AHEAD_BYTES);
    }

    /** The stream to write to the link by. */
    OutputStream watched(OutputStream out) {
        return new TimedOutput(out);
    }

    /** From now on silence is answered with a ping. */
    void pingBy(Ping ping) {
        this.ping = ping;
    }

    /** Whether the link was cut because nothing was heard. */
    boolean dead() {
        return dead;
    }

    /** Ends the watch; leaves the link alone. */
    @Override
    public void close() {
        closed = true;
    }

    private void watch() {
        try {
            while (!closed && !dead) {
                Thread.sleep(STEP);
                judge(reading.length(), writing.length());
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void judge(Duration silence, Duration stuck) {
        if (silence.compareTo(deadAfter) >= 0 || stuck.compareTo(deadAfter) >= 0) {
            dead = true;
            try {
                link.close();
            } catch (IOException _) {
                // it is given up in any case
            }
        } else if (silence.compareTo(PING_AFTER) >= 0) {
            sendPing();
        }
    }

    /** In a thread of its own, one at a time: it may block behind a stuck writer. */
    private void sendPing() {
        Ping sender = ping;
        if (sender != null && pinging.compareAndSet(false, true)) {
            Thread.ofVirtual()
                    .start(() -> {
                        try {
                            sender.send();
                            Thread.sleep(PING_AFTER);
                        } catch (Exception _) {
                            // no answer will come, which is what counts
                        } finally {
                            pinging.set(false);
                        }
                    });
        }
    }

    /** One thread at a time waits, another looks how long. */
    private static final class Wait {
        private volatile long sinceNanos;
        private volatile boolean on;

        void begin() {
            sinceNanos = System.nanoTime();
            on = true;
        }

        void end() {
            on = false;
        }

        Duration length() {
            return on ? Duration.ofNanos(System.nanoTime() - sinceNanos) : Duration.ZERO;
        }
    }

    private final class TimedInput extends FilterInputStream {
        TimedInput(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : Byte.toUnsignedInt(one[0]);
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            reading.begin();
            try {
                return in.read(bytes, offset, length);
            } finally {
                reading.end();
            }
        }
    }

    private final class TimedOutput extends FilterOutputStream {
        TimedOutput(OutputStream out) {
            super(out);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            writing.begin();
            try {
                out.write(bytes, offset, length);
            } finally {
                writing.end();
            }
        }
    }
}
