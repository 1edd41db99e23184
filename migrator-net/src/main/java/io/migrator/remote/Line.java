package io.migrator.remote;

import io.migrator.fault.FaultPoint;
import io.migrator.memory.LateMemory;
import io.migrator.problem.Problem;
import io.migrator.remote.Envelope.Kind;
import io.migrator.ssh.RemoteProcess;
import io.migrator.wire.Compression;
import io.migrator.wire.Frame;
import io.migrator.wire.FrameReader;
import io.migrator.wire.FrameWriter;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Requests to a receiver and their replies. A reader thread takes the replies, a heartbeat thread
 * lets the receiver know that the source lives. Requests come from one thread; frames of the job
 * may come from another one.
 *
 * <p>Owns the remote process.
 */
final class Line implements AutoCloseable {
    private static final Duration HEARTBEAT = Duration.ofSeconds(5);
    private static final Duration END = Duration.ofSeconds(5);
    private static final long POLL_MILLIS = 100;

    private final String node;
    private final RemoteProcess process;
    private final FrameWriter out;
    private final BlockingQueue<Envelope> replies = new LinkedBlockingQueue<>();
    private final Thread heart =
            Thread.ofPlatform().daemon().name("heartbeat").unstarted(this::beat);

    private volatile boolean closed;

    /** The link is of no more use. */
    private volatile @Nullable Problem broken;

    /** The target could not take a part of the job; the link is as good as before. */
    private volatile @Nullable Problem jobProblem;

    private volatile LateMemory.Wanting wanting = (pid, address) -> {};
    private int requests;

    Line(String node, RemoteProcess process, Compression compression) throws IOException {
        this.node = node;
        this.process = process;
        this.out = new FrameWriter(process.stdin(), compression);
        Thread.ofPlatform().daemon().name("replies").start(this::read);
        heart.start();
    }

    /** Tells of pages that the job waits for. */
    void wanting(LateMemory.Wanting told) {
        wanting = told;
    }

    /** Asks and waits for the reply. */
    Envelope ask(Kind kind, @Nullable Object body, Duration limit)
            throws Problem, InterruptedException {
        Envelope reply = await(send(kind, body), limit);
        if (reply == null) {
            // a receiver that is stuck does not hear a request to discard either
            throw broken(new IOException("it did not answer in time"));
        }
        return orThrow(reply);
    }

    /** Asks and does not wait: a failure is told with the reply to what is asked next. */
    void tell(Kind kind, @Nullable Object body) throws Problem {
        send(kind, body);
    }

    /**
     * Asks what cannot be taken back, and waits for the answer whatever happens to this thread.
     *
     * @throws Problem of exit code UNDECIDED if no answer came, even if nothing was sent: a person
     *     may have let the job go there. Any other is the target's own word
     */
    void askForGood(Kind kind, Duration limit) throws Problem {
        int number;
        try {
            number = send(kind, null);
            FaultPoint.SOURCE_GRANTED.reached();
        } catch (Problem | InterruptedException e) {
            throw undecided(e);
        }
        Envelope reply = awaitForGood(number, limit);
        if (reply == null) {
            throw undecided(broken);
        }
        orThrow(reply);
    }

    private Problem undecided(@Nullable Exception cause) {
        return Problem.undecided("no answer from " + node + " after the job was handed over")
                .because(cause == null ? "it did not answer in time" : cause.getMessage())
                .tryThis("migrator recover, when " + node + " can be reached");
    }

    private @Nullable Envelope awaitForGood(int number, Duration limit) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return await(number, limit);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Sends a frame of the job; no reply comes unless it fails there. */
    void send(Frame frame) throws Problem {
        orThrow(jobProblem);
        write(frame);
    }

    /** Returns true while nothing is known to be wrong with the link. */
    boolean works() {
        return broken == null && !closed;
    }

    /** Bytes given to the link so far. */
    long sentBytes() {
        return out.sentBytes();
    }

    private Envelope orThrow(Envelope reply) throws Problem {
        if (reply.kind() == Kind.OK) {
            return reply;
        }
        try {
            throw reply.problem();
        } catch (IOException e) {
            throw nonsense(e);
        }
    }

    private int send(Kind kind, @Nullable Object body) throws Problem {
        int number = ++requests;
        try {
            write(Envelope.of(kind, number, body).toFrame());
        } catch (IOException e) {
            throw nonsense(e);
        }
        return number;
    }

    /** The reply of that number; null if the link failed or the time is up. */
    private @Nullable Envelope await(int number, Duration limit) throws InterruptedException {
        long end = System.nanoTime() + limit.toNanos();
        while (System.nanoTime() < end) {
            boolean last = broken != null; // what came before the link failed counts
            Envelope reply = replies.poll(POLL_MILLIS, TimeUnit.MILLISECONDS);
            if (reply != null && reply.number() == number) {
                return reply;
            }
            if (last && reply == null) {
                return null;
            }
        }
        return null;
    }

    private void write(Frame frame) throws Problem {
        orThrow(broken);
        try {
            out.write(frame);
        } catch (IOException e) {
            throw broken(e);
        }
    }

    private static void orThrow(@Nullable Problem problem) throws Problem {
        if (problem != null) {
            throw again(problem);
        }
    }

    /** A problem may be thrown by several calls: each gets its own. */
    private static Problem again(Problem cause) {
        return Problem.of(cause.exitCode(), cause.what(), cause.because(), cause.tryThis());
    }

    Problem nonsense(IOException e) {
        return Problem.failed(node + " answered nonsense").because(e.getMessage()).causedBy(e);
    }

    private synchronized Problem broken(IOException e) {
        Problem cause = broken;
        if (cause == null) {
            String said = process.stderrTail().strip();
            cause =
                    Problem.failed("the receiver on " + node + " is lost")
                            .because(said.isEmpty() ? plain(e) : said.replace('\n', ';'))
                            .causedBy(e);
            broken = cause;
        }
        return again(cause);
    }

    /** JSch puts the names of exceptions into its messages. */
    private static String plain(IOException e) {
        return String.valueOf(e.getMessage()).replaceFirst("^([a-z]+\\.)+[A-Za-z]+: ", "");
    }

    private void read() {
        FrameReader in = new FrameReader(process.stdout());
        try {
            while (true) {
                if (!(in.next() instanceof Frame.Control control)) {
                    throw new IOException("something else than a reply");
                }
                Envelope reply = Envelope.parse(control);
                if (reply.kind() == Kind.WANTED) {
                    Envelope.Wanted page = reply.body(Envelope.Wanted.class);
                    wanting.page(page.pid(), page.address());
                } else if (reply.number() == 0) {
                    jobProblem = reply.problem();
                } else {
                    replies.add(reply);
                }
            }
        } catch (IOException | RuntimeException e) {
            broken(e instanceof IOException known ? known : new IOException(e));
        }
    }

    private void beat() {
        try {
            while (broken == null) {
                Thread.sleep(HEARTBEAT);
                write(Envelope.of(Kind.ALIVE, 0, null).toFrame());
            }
        } catch (InterruptedException | Problem | IOException e) {
            // closed, or broken: whoever calls next is told
        }
    }

    /** Ends the stream, so that the receiver ends; does not wait long for that. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        heart.interrupt();
        try {
            if (broken == null) {
                out.write(new Frame.End());
                process.stdin().close();
                process.waitFor(END);
            }
        } catch (IOException e) {
            // the stream is of no more use: the receiver sees its end
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            process.close();
        }
    }
}
