package io.migrator.remote;

import io.migrator.memory.JobSink;
import io.migrator.migration.Order;
import io.migrator.migration.Prepared;
import io.migrator.migration.Survey;
import io.migrator.migration.Target;
import io.migrator.migration.TargetFacts;
import io.migrator.network.NetworkLock;
import io.migrator.problem.Problem;
import io.migrator.remote.Envelope.Kind;
import io.migrator.ssh.RemoteProcess;
import io.migrator.ssh.Transport;
import io.migrator.wire.Compression;
import io.migrator.wire.Frame;
import io.migrator.wire.FrameReader;
import io.migrator.wire.FrameWriter;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Another node as a target: {@code migrator receive} started there over SSH. Requests are answered
 * in order; images need no answer, a fault with them comes back unasked and fails the next call.
 *
 * <p>Thread rules are those of {@link Target}. Owns the remote process, not the transport.
 */
public final class RemoteTarget implements Target, JobSink {
    /** How to reach the node once more when the link failed. */
    @FunctionalInterface
    public interface Redial {
        /** A new connection to the same node. */
        Transport connect() throws Problem, InterruptedException;
    }

    private static final Duration HEARTBEAT = Duration.ofSeconds(5);
    private static final Duration SECOND_TRY = Duration.ofSeconds(30);

    private final String node;
    private final List<String> program;
    private final Duration timeLimit;
    private final Redial redial;
    private final RemoteProcess process;
    private final FrameWriter out;
    private final BlockingQueue<Envelope> replies = new LinkedBlockingQueue<>();
    private final Thread heart =
            Thread.ofPlatform().daemon().name("heartbeat").unstarted(this::beat);

    /** The link is of no more use. */
    private volatile @Nullable Problem broken;

    /** The target could not take a part of the job; the link is as good as before. */
    private volatile @Nullable Problem jobProblem;

    private int requests;
    private @Nullable String id;
    private boolean finished;

    private RemoteTarget(
            String node,
            List<String> program,
            Duration timeLimit,
            Redial redial,
            RemoteProcess process,
            Compression compression)
            throws IOException {
        this.node = node;
        this.program = program;
        this.timeLimit = timeLimit;
        this.redial = redial;
        this.process = process;
        this.out = new FrameWriter(process.stdin(), compression);
        Thread.ofPlatform().daemon().name("replies").start(this::read);
        heart.start();
    }

    /**
     * Starts the receiver on a node.
     *
     * @param node as the user named it, for messages
     * @param program words that start migrator there
     * @param timeLimit for each answer
     */
    public static RemoteTarget start(
            String node,
            List<String> program,
            Transport transport,
            Redial redial,
            Compression compression,
            Duration timeLimit)
            throws Problem {
        List<String> command = new ArrayList<>(program);
        command.add("receive");
        RemoteProcess process = transport.start(command);
        try {
            return new RemoteTarget(node, program, timeLimit, redial, process, compression);
        } catch (IOException e) {
            process.close();
            throw Problem.refused("migrator did not start on " + node)
                    .because(process.stderrTail().strip())
                    .causedBy(e);
        }
    }

    @Override
    public TargetFacts survey(Survey survey) throws Problem, InterruptedException {
        return result(Kind.SURVEY, survey, TargetFacts.class);
    }

    @Override
    public Prepared prepare(Order order) throws Problem, InterruptedException {
        id = order.id();
        return result(Kind.PREPARE, order, Prepared.class);
    }

    @Override
    public void restore(NetworkLock.@Nullable Table table) throws Problem, InterruptedException {
        ask(Kind.RESTORE, table);
    }

    @Override
    public void load(long pageBytes) throws Problem, InterruptedException {
        ask(Kind.LOAD, pageBytes);
    }

    @Override
    public void take() throws Problem, InterruptedException {
        finished = true;
        boolean interrupted = false;
        int number = send(Kind.TAKE, null);
        while (true) {
            try {
                Envelope reply = await(number);
                if (reply == null) {
                    throw undecided();
                }
                orThrow(reply);
                break;
            } catch (InterruptedException e) {
                interrupted = true; // only the target's answer counts from here
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private Problem undecided() {
        Problem cause = broken;
        return Problem.undecided("no answer from " + node + " after the job was handed over")
                .because(cause == null ? "it did not answer in time" : cause.getMessage())
                .tryThis("look on " + node + ": if the instance runs there, stop the one here");
    }

    @Override
    public void discard() throws Problem, InterruptedException {
        if (finished) {
            return;
        }
        finished = true;
        if (broken == null) {
            try {
                ask(Kind.DISCARD, null);
                return;
            } catch (Problem e) {
                // by another connection, then
            }
        }
        discardByAnother();
    }

    /** The receiver is dead or out of reach: what it left is removed by another one. */
    private void discardByAnother() throws Problem, InterruptedException {
        if (id == null) {
            return;
        }
        String advice =
                "%s removes what it made by itself within %d s, or: migrator receive --discard %s"
                        .formatted(node, Receiver.SILENCE_LIMIT.toSeconds() + 5, id);
        try (Transport second = redial.connect()) {
            List<String> command = new ArrayList<>(program);
            command.addAll(List.of("receive", "--discard", id));
            try (RemoteProcess cleaner = second.start(command)) {
                cleaner.stdin().close();
                if (cleaner.waitFor(SECOND_TRY).orElse(RemoteProcess.NO_STATUS) != 0) {
                    throw Problem.failed(node + " could not be cleaned")
                            .because(cleaner.stderrTail().strip())
                            .tryThis(advice);
                }
            }
        } catch (IOException e) {
            throw Problem.failed(node + " could not be cleaned")
                    .because(e.getMessage())
                    .tryThis(advice);
        }
    }

    @Override
    public void close() {
        heart.interrupt();
        try {
            if (broken == null) {
                out.write(new Frame.End());
                process.stdin().close();
                process.waitFor(Duration.ofSeconds(5));
            }
        } catch (IOException e) {
            // the stream is of no more use: the receiver sees its end
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            process.close();
        }
    }

    @Override
    public JobSink sink() {
        return this;
    }

    @Override
    public void open(int file, String name) throws Problem {
        writeJob(new Frame.FileOpen(file, name));
    }

    @Override
    public void data(int file, long offset, ByteBuffer bytes) throws Problem {
        writeJob(new Frame.FileData(file, offset, bytes));
    }

    @Override
    public void end(int file, long length) throws Problem {
        writeJob(new Frame.FileEnd(file, length));
    }

    @Override
    public void pages(int pid, long address, ByteBuffer bytes) throws Problem {
        writeJob(new Frame.Pages(pid, address, bytes));
    }

    @Override
    public void padding(ByteBuffer bytes) throws Problem {
        writeJob(new Frame.Padding(bytes));
    }

    @Override
    public long sentBytes() {
        return out.sentBytes();
    }

    private <T> T result(Kind kind, Object body, Class<T> type)
            throws Problem, InterruptedException {
        try {
            return ask(kind, body).body(type);
        } catch (IOException e) {
            throw nonsense(e);
        }
    }

    private Envelope ask(Kind kind, @Nullable Object body) throws Problem, InterruptedException {
        Envelope reply = await(send(kind, body));
        if (reply == null) {
            // a receiver that is stuck does not hear a request to discard either
            throw broken(new IOException("it did not answer in time"));
        }
        return orThrow(reply);
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
    private @Nullable Envelope await(int number) throws InterruptedException {
        long end = System.nanoTime() + timeLimit.toNanos();
        while (broken == null && System.nanoTime() < end) {
            Envelope reply = replies.poll(100, TimeUnit.MILLISECONDS);
            if (reply != null && reply.number() == number) {
                return reply;
            }
        }
        for (Envelope late : replies) {
            if (late.number() == number) {
                return late;
            }
        }
        return null;
    }

    private void writeJob(Frame frame) throws Problem {
        orThrow(jobProblem);
        write(frame);
    }

    private void write(Frame frame) throws Problem {
        orThrow(broken);
        try {
            out.write(frame);
        } catch (IOException e) {
            // the reader usually knows why, a moment later
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

    private Problem nonsense(IOException e) {
        return Problem.failed(node + " answered nonsense").because(e.getMessage()).causedBy(e);
    }

    private synchronized Problem broken(IOException e) {
        Problem cause = broken;
        if (cause == null) {
            String said = process.stderrTail().strip();
            cause =
                    Problem.failed("the receiver on " + node + " is lost")
                            .because(said.isEmpty() ? e.getMessage() : said.replace('\n', ';'))
                            .causedBy(e);
            broken = cause;
        }
        return again(cause);
    }

    private void read() {
        FrameReader in = new FrameReader(process.stdout());
        try {
            while (true) {
                if (!(in.next() instanceof Frame.Control control)) {
                    throw new IOException("something else than a reply");
                }
                Envelope reply = Envelope.parse(control);
                if (reply.number() == 0) {
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
}
