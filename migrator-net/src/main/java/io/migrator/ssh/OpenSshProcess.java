package io.migrator.ssh;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;

/** A program at the end of an {@code ssh} process. */
final class OpenSshProcess implements RemoteProcess {

    private static final Duration DRAINING = Duration.ofSeconds(1);

    private final Process ssh;
    private final Tail errors = new Tail();
    private final Thread drain;

    OpenSshProcess(Process ssh) {
        this.ssh = ssh;
        this.drain = Thread.ofVirtual().name("ssh stderr").start(this::drainErrors);
    }

    private void drainErrors() {
        try (InputStream in = ssh.getErrorStream()) {
            in.transferTo(errors);
        } catch (IOException _) {
            // ssh was ended: what it wrote before is kept
        }
    }

    @Override
    public OutputStream stdin() {
        return ssh.getOutputStream();
    }

    @Override
    public InputStream stdout() {
        return ssh.getInputStream();
    }

    @Override
    public String stderrTail() {
        return errors.text();
    }

    @Override
    public OptionalInt waitFor(Duration limit) throws InterruptedException {
        if (!ssh.waitFor(limit.toNanos(), TimeUnit.NANOSECONDS)) {
            return OptionalInt.empty();
        }
        drain.join(DRAINING); // so that the tail is complete
        return OptionalInt.of(ssh.exitValue());
    }

    @Override
    public void close() {
        ssh.destroy();
    }
}
