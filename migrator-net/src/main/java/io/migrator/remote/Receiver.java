package io.migrator.remote;

import io.migrator.fault.FaultPoint;
import io.migrator.files.CarriedFile;
import io.migrator.files.FileClaim;
import io.migrator.files.PlacedFile;
import io.migrator.memory.PageRange;
import io.migrator.migration.LocalTarget;
import io.migrator.migration.Order;
import io.migrator.migration.Refill;
import io.migrator.migration.Rehearsal;
import io.migrator.migration.Steps;
import io.migrator.migration.Survey;
import io.migrator.network.NetworkLock;
import io.migrator.problem.Problem;
import io.migrator.wire.Compression;
import io.migrator.wire.Frame;
import io.migrator.wire.FrameReader;
import io.migrator.wire.FrameWriter;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * The far end of a migration: reads requests and images from one stream, does them on this node,
 * answers on another. Whatever ends the stream before the job was taken (a closed link, nonsense,
 * silence, an interrupt) discards all that was made.
 *
 * <p>Run by one thread, which an interrupt stops.
 */
public final class Receiver {
    /** The source says that it lives more often than this; silence means the link is cut. */
    static final Duration SILENCE_LIMIT = Duration.ofSeconds(25);

    private static final long LOOK_MILLIS = 500;
    private static final int BUSY = Integer.MAX_VALUE;

    private final LocalTarget target;
    private final FrameReader in;
    private final OutputStream output;
    private final FrameWriter out;
    private final Thread reader = Thread.currentThread();

    /** The watchdog's looks until the source counts as silent; BUSY while we are not waiting. */
    private final AtomicInteger looksLeft = new AtomicInteger(BUSY);

    private volatile boolean silent;
    private final int looks;
    private volatile @Nullable Problem jobProblem;
    private boolean taking;
    private final Consumer<String> report;
    private @Nullable Refill refill;
    private @Nullable Thread work;
    private volatile @Nullable Throwable workFailure;

    /**
     * A receiver for the thread that makes it.
     *
     * @param in closed when the thread is interrupted (an interruptible channel)
     * @param out closed only for a source that is silent: it has to see the end of the answers
     * @param report told of what could not be undone
     */
    public Receiver(FileChannel in, OutputStream out, Consumer<String> report) throws IOException {
        this(in, out, report, SILENCE_LIMIT);
    }

    Receiver(
            ReadableByteChannel in,
            OutputStream out,
            Consumer<String> report,
            Duration silenceLimit)
            throws IOException {
        this.looks = Math.max(1, (int) (silenceLimit.toMillis() / LOOK_MILLIS));
        this.report = report;
        this.target = new LocalTarget(report);
        this.in = new FrameReader(in);
        this.output = out;
        this.out = new FrameWriter(out, Compression.NONE);
        target.wanting(this::want);
    }

    /** Asks the source for a page that the job waits for. */
    private void want(int pid, long address) throws IOException {
        out.write(
                Envelope.of(Envelope.Kind.WANTED, 0, new Envelope.Wanted(pid, address)).toFrame());
    }

    /**
     * Serves until the source ends the stream.
     *
     * @throws IOException if the stream was cut or is not as it must be; all is discarded
     */
    public void serve() throws IOException, Problem, InterruptedException {
        Thread watchdog = Thread.ofPlatform().daemon().name("watchdog").start(this::watch);
        try (target) {
            try {
                serveFrames();
            } finally {
                endWork();
            }
        } finally {
            watchdog.interrupt();
            if (refill != null) {
                refill.close();
            }
        }
    }

    private void serveFrames() throws IOException, Problem, InterruptedException {
        try {
            Frame frame = next();
            while (!(frame instanceof Frame.End)) {
                handle(frame);
                frame = next();
            }
        } catch (IOException e) {
            if (!silent) {
                throw e;
            }
            Thread.interrupted(); // the watchdog's
            endWork();
            output.close(); // a source that was only stopped must not wait for our answers
            if (!target.awaitTakeOver()) {
                throw new IOException("the source has been silent for too long", e);
            }
            beginToTake();
            target.takeOver();
        }
    }

    private Frame next() throws IOException {
        looksLeft.set(looks);
        try {
            return in.next();
        } finally {
            looksLeft.set(BUSY);
        }
    }

    /** Counts its own looks, not the time: while this JVM was stopped, nobody was silent. */
    private void watch() {
        try {
            while (true) {
                Thread.sleep(LOOK_MILLIS);
                int left = looksLeft.get();
                if (left == 0) {
                    silent = true;
                    reader.interrupt();
                    return;
                }
                if (left != BUSY) {
                    looksLeft.compareAndSet(left, left - 1);
                }
            }
        } catch (InterruptedException e) {
            // the stream ended
        }
    }

    private void handle(Frame frame) throws IOException, Problem, InterruptedException {
        switch (frame) {
            case Frame.Control control -> answer(Envelope.parse(control));
            case Frame.Padding(ByteBuffer data) -> job(() -> target.padding(data));
            case Frame.Pages pages -> pages(pages.pid(), PageFrames.places(pages), pages.data());
            case Frame.ScatteredPages pages ->
                    pages(pages.pid(), PageFrames.places(pages), pages.data());
            case Frame.ZeroPages zeros -> {
                PageRange place = PageFrames.place(zeros);
                Refill filled = refill;
                job(
                        filled == null
                                ? () -> target.zeros(zeros.pid(), place)
                                : () -> filled.zeros(zeros.pid(), place));
            }
            case Frame.FileOpen(int id, String name) -> job(() -> target.open(id, name));
            case Frame.FileData data ->
                    job(() -> target.data(data.id(), data.offset(), data.data()));
            case Frame.FileEnd(int id, long length) -> job(() -> target.end(id, length));
            case Frame.End() -> {}
        }
    }

    private void pages(int pid, List<PageRange> places, ByteBuffer data)
            throws IOException, InterruptedException {
        Refill filled = refill;
        job(
                filled == null
                        ? () -> target.pages(pid, places, data)
                        : () -> filled.pages(pid, places, data));
    }

    private interface JobStep {
        void run() throws Problem, InterruptedException;
    }

    /** After the first fault the job is read and dropped, so that the source hears of it. */
    private void job(JobStep step) throws IOException, InterruptedException {
        if (jobProblem != null) {
            return;
        }
        try {
            step.run();
        } catch (Problem e) {
            jobProblem = e;
            out.write(Envelope.of(e, 0).toFrame());
        }
    }

    private void answer(Envelope request) throws IOException, Problem, InterruptedException {
        if (request.kind() == Envelope.Kind.ALIVE) {
            return;
        }
        orWorking();
        boolean isLong =
                request.kind() == Envelope.Kind.LOAD || request.kind() == Envelope.Kind.TAKE;
        if (isLong && target.mayFill()) {
            work = Thread.ofPlatform().name("work").start(() -> workOn(request));
        } else {
            reply(request);
        }
    }

    /** Late pages are taken meanwhile: the job may not come to the end of it without them. */
    private void workOn(Envelope request) {
        try {
            reply(request);
        } catch (IOException | Problem | InterruptedException | RuntimeException | Error e) {
            workFailure = e;
        }
    }

    /** Waits for what is being worked on. */
    private void orWorking() throws IOException, InterruptedException {
        if (work != null) {
            work.join();
            work = null;
        }
        if (workFailure != null) {
            throw new IOException(workFailure);
        }
    }

    /** Nothing more comes: what is begun and may be ended is ended, else awaited. */
    private void endWork() {
        Thread begun = work;
        boolean interrupted = Thread.interrupted();
        while (begun != null && begun.isAlive()) {
            synchronized (this) {
                if (!taking) {
                    begun.interrupt();
                }
            }
            try {
                begun.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void reply(Envelope request) throws IOException, Problem, InterruptedException {
        Envelope reply;
        try {
            reply = Envelope.of(Envelope.Kind.OK, request.number(), noted(request));
        } catch (Problem e) {
            reply = Envelope.of(e, request.number());
        } catch (IllegalArgumentException | IllegalStateException e) {
            throw new IOException("the source asked for nonsense", e);
        }
        if (reply.kind() == Envelope.Kind.OK && request.kind().isTold()) {
            return;
        }
        out.write(reply.toFrame());
        if (request.kind() == Envelope.Kind.TAKE) {
            FaultPoint.TARGET_ANSWERED.reached();
        }
    }

    /** From here the receiver ends only by itself. */
    private synchronized void beginToTake() throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        taking = true;
    }

    /** Asks the receiver to discard and end; too late once it takes the job. Any thread. */
    public synchronized void cancel() {
        if (!taking) {
            reader.interrupt();
        }
    }

    private static void orThrow(@Nullable Problem problem) throws Problem {
        if (problem != null) {
            throw problem;
        }
    }

    /** Nobody waits for the answer: what is asked next is refused with it. */
    private void place(List<PlacedFile> files) throws Problem {
        try {
            target.place(files);
        } catch (Problem e) {
            jobProblem = e;
            throw e;
        }
    }

    private @Nullable Object noted(Envelope request)
            throws Problem, IOException, InterruptedException {
        if (request.kind() == Envelope.Kind.ACCOUNT) {
            return target.account().orElseThrow(() -> Problem.failed("it does not tell"));
        }
        String name = request.kind().name().toLowerCase(Locale.ROOT);
        try (Steps.Begun _ = target.steps().begin(name)) {
            return done(request);
        }
    }

    private @Nullable Object done(Envelope request)
            throws Problem, IOException, InterruptedException {
        switch (request.kind()) {
            case SURVEY -> {
                return target.survey(request.body(Survey.class));
            }
            case PREPARE -> {
                try (Rehearsal _ = Rehearsal.of(WireRehearsal::once)) {
                    return target.prepare(request.body(Order.class));
                }
            }
            case FILES -> {
                return target.files(request.list(FileClaim.class));
            }
            case CARRY -> {
                orThrow(jobProblem);
                target.carry(request.list(CarriedFile.class));
            }
            case SYNC -> {
                orThrow(jobProblem);
                target.sync();
            }
            case PLACE -> {
                orThrow(jobProblem);
                place(request.list(PlacedFile.class));
            }
            case FROZEN -> target.frozen();
            case RESTORE -> {
                orThrow(jobProblem);
                target.restore(request.list(NetworkLock.Pair.class));
            }
            case LOAD -> {
                orThrow(jobProblem);
                target.load(request.body(Long.class));
            }
            case TAKE -> {
                beginToTake();
                target.take();
            }
            case FILL -> {
                orThrow(jobProblem);
                if (refill != null) {
                    refill.complete();
                } else {
                    target.fill();
                }
            }
            case ATTACH -> {
                if (refill != null || target.mayFill()) {
                    throw new IOException("the source attached twice");
                }
                Envelope.Attached which = request.body(Envelope.Attached.class);
                refill = Refill.of(which.id(), which.token(), this::want, report);
            }
            case DONE -> target.done();
            case DISCARD -> target.discard();
            case ACCOUNT, ALIVE, WANTED, OK, PROBLEM ->
                    throw new IOException("the source sent " + request.kind() + " as a request");
        }
        return null;
    }
}
