package io.migrator.remote;

import io.migrator.linux.Clocks;
import io.migrator.migration.TargetFacts;
import io.migrator.problem.Problem;
import io.migrator.ssh.RemoteProcess;
import io.migrator.wire.Compression;
import io.migrator.wire.Frame;
import io.migrator.wire.FrameReader;
import io.migrator.wire.FrameWriter;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.Pipe;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A receiver that a test plays: a remote process over pipes of this JVM. */
final class FarEnd implements RemoteProcess {
    /** What the far end does with each request; it may answer through the writer. */
    interface Play {
        void on(Envelope request, FrameWriter out) throws IOException;
    }

    static final TargetFacts FACTS =
            new TargetFacts(
                    "n2",
                    "b",
                    "6.18.44",
                    "4.2.1",
                    "",
                    "",
                    true,
                    2432L,
                    "",
                    false,
                    null,
                    1L,
                    2L,
                    Map.of(),
                    List.of(),
                    new Clocks(3, 4));

    private final Pipe toFar;
    private final Pipe fromFar;
    private final CountDownLatch ended = new CountDownLatch(1);
    final CopyOnWriteArrayList<Envelope.Kind> heard = new CopyOnWriteArrayList<>();
    String stderr = "";

    private FarEnd() throws IOException {
        this.toFar = Pipe.open();
        this.fromFar = Pipe.open();
    }

    /** Reads frames and plays; ends with the stream. */
    static FarEnd playing(Play play) throws IOException {
        FarEnd far = new FarEnd();
        FrameWriter out = new FrameWriter(far.farOut(), Compression.NONE);
        far.run(in -> far.serve(new FrameReader(in), out, play));
        return far;
    }

    /** Writes these bytes and then reads and drops all it gets. */
    static FarEnd saying(byte[] bytes) throws IOException {
        FarEnd far = new FarEnd();
        far.run(in -> {
            far.farOut().write(bytes);
            far.fromFar.sink().close();
            in.transferTo(OutputStream.nullOutputStream());
        });
        return far;
    }

    /** Ends the far end's output as a killed program does. */
    void die() throws IOException {
        fromFar.sink().close();
    }

    private interface Body {
        void run(InputStream in) throws IOException;
    }

    private void run(Body body) {
        Thread.ofPlatform()
                .daemon()
                .start(() -> {
                    try {
                        body.run(Channels.newInputStream(toFar.source()));
                    } catch (IOException e) {
                        // the test closed the stream
                    } finally {
                        ended.countDown();
                    }
                });
    }

    private void serve(FrameReader in, FrameWriter out, Play play) throws IOException {
        Frame frame = in.next();
        while (!(frame instanceof Frame.End)) {
            if (frame instanceof Frame.Control control) {
                Envelope request = Envelope.parse(control);
                if (request.kind() != Envelope.Kind.ALIVE) {
                    heard.add(request.kind());
                    play.on(request, out);
                }
            } else if (frame instanceof Frame.FileEnd) {
                play.on(Envelope.of(Envelope.Kind.ALIVE, 0, null), out);
            }
            frame = in.next();
        }
    }

    static void ok(Envelope request, Object body, FrameWriter out) throws IOException {
        out.write(Envelope.of(Envelope.Kind.OK, request.number(), body).toFrame());
    }

    static void problem(Problem problem, int number, FrameWriter out) throws IOException {
        out.write(Envelope.of(problem, number).toFrame());
    }

    private OutputStream farOut() {
        return Channels.newOutputStream(fromFar.sink());
    }

    @Override
    public OutputStream stdin() {
        return Channels.newOutputStream(toFar.sink());
    }

    @Override
    public InputStream stdout() {
        return Channels.newInputStream(fromFar.source());
    }

    @Override
    public String stderrTail() {
        return stderr;
    }

    @Override
    public OptionalInt waitFor(Duration limit) throws InterruptedException {
        return ended.await(limit.toMillis(), TimeUnit.MILLISECONDS)
                ? OptionalInt.of(0)
                : OptionalInt.empty();
    }

    @Override
    public void close() {
        try {
            toFar.sink().close();
            fromFar.source().close();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
