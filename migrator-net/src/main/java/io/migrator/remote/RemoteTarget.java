package io.migrator.remote;

import io.migrator.files.CarriedFile;
import io.migrator.files.FileAnswer;
import io.migrator.files.FileClaim;
import io.migrator.files.PlacedFile;
import io.migrator.handover.Handover;
import io.migrator.handover.Token;
import io.migrator.memory.JobSink;
import io.migrator.memory.LateMemory;
import io.migrator.memory.PageRange;
import io.migrator.migration.Account;
import io.migrator.migration.FarNode;
import io.migrator.migration.Order;
import io.migrator.migration.Prepared;
import io.migrator.migration.Rehearsal;
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

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Another node as a target: {@code migrator receive} started there over SSH. Requests are answered
 * in order; images and pages need no answer, a fault with them comes back unasked and fails the
 * next call.
 *
 * <p>Thread rules are those of {@link Target}. Owns the remote process, not the transport.
 */
public final class RemoteTarget implements Target, JobSink {
    /** Nothing depends on it. */
    private static final Duration ACCOUNT = Duration.ofSeconds(5);

    private final String node;
    private final List<String> program;
    private final Duration timeLimit;
    private final FarNode far;
    private final Line line;
    private @Nullable Order order;
    private boolean finished;
    private long paddingBytes;

    RemoteTarget(String node, List<String> program, Duration timeLimit, FarNode far, Line line) {
        this.node = node;
        this.program = program;
        this.timeLimit = timeLimit;
        this.far = far;
        this.line = line;
    }

    /**
     * Starts the receiver on a node.
     *
     * @param node as the user named it, for messages
     * @param program words that start migrator there
     * @param far the same node by other connections, for when this one fails
     * @param timeLimit for each answer
     */
    public static RemoteTarget start(
            String node,
            List<String> program,
            Transport transport,
            FarNode far,
            Compression compression,
            Duration timeLimit)
            throws Problem {
        List<String> command = new ArrayList<>(program);
        command.add("receive");
        RemoteProcess process = transport.start(command);
        try {
            Line line = new Line(node, process, compression);
            return new RemoteTarget(node, program, timeLimit, far, line);
        } catch (IOException e) {
            process.close();
            throw Problem.refused("migrator did not start on " + node)
                    .because(process.stderrTail().strip())
                    .causedBy(e);
        }
    }

    @Override
    public TargetFacts survey(Survey survey) throws Problem, InterruptedException {
        try {
            return result(Kind.SURVEY, survey, TargetFacts.class);
        } catch (Problem e) {
            // nothing was touched yet
            throw Problem.refused(e.what())
                    .because(e.because())
                    .tryThis(
                            e.tryThis().isEmpty()
                                    ? "see that the same migrator starts there: ssh "
                                            + node
                                            + " "
                                            + String.join(" ", program)
                                            + " --version"
                                    : e.tryThis())
                    .causedBy(e);
        }
    }

    @Override
    public Prepared prepare(Order wanted) throws Problem, InterruptedException {
        order = wanted;
        try (Rehearsal _ = Rehearsal.of(WireRehearsal::once)) {
            return result(Kind.PREPARE, wanted, Prepared.class);
        }
    }

    private <T> T result(Kind kind, Object body, Class<T> type)
            throws Problem, InterruptedException {
        try {
            return line.ask(kind, body, timeLimit).body(type);
        } catch (IOException e) {
            throw line.nonsense(e);
        }
    }

    @Override
    public List<FileAnswer> files(List<FileClaim> claims) throws Problem, InterruptedException {
        Envelope reply = line.ask(Kind.FILES, claims, timeLimit);
        try {
            return reply.list(FileAnswer.class);
        } catch (IOException e) {
            throw line.nonsense(e);
        }
    }

    @Override
    public void carry(List<CarriedFile> files) throws Problem, InterruptedException {
        line.ask(Kind.CARRY, files, timeLimit);
    }

    @Override
    public void sync() throws Problem, InterruptedException {
        line.ask(Kind.SYNC, null, timeLimit);
    }

    @Override
    public void place(List<PlacedFile> files) throws Problem {
        line.tell(Kind.PLACE, files);
    }

    @Override
    public void frozen() throws Problem {
        line.tell(Kind.FROZEN, null);
    }

    @Override
    public void restore(List<NetworkLock.Pair> pairs) throws Problem {
        line.tell(Kind.RESTORE, pairs);
    }

    @Override
    public void load(long pageBytes) throws Problem, InterruptedException {
        line.ask(Kind.LOAD, pageBytes, timeLimit);
    }

    @Override
    public void take() throws Problem {
        line.askForGood(Kind.TAKE, timeLimit);
        finished = true;
    }

    @Override
    public void wanting(LateMemory.Wanting told) {
        line.wanting(told);
    }

    @Override
    public void fill() throws Problem, InterruptedException {
        line.ask(Kind.FILL, null, timeLimit);
    }

    /** Goes on with a job that runs there and lacks pages. */
    void attach(String id, Token token) throws Problem, InterruptedException {
        finished = true;
        line.ask(Kind.ATTACH, new Envelope.Attached(id, token), timeLimit);
    }

    @Override
    public void done() throws Problem, InterruptedException {
        if (line.works()) {
            line.ask(Kind.DONE, null, timeLimit);
        } else if (order != null) {
            far.done(order.id(), order.token());
        }
    }

    @Override
    public void discard() throws Problem, InterruptedException {
        if (finished) {
            return;
        }
        finished = true;
        if (line.works()) {
            try {
                line.ask(Kind.DISCARD, null, timeLimit);
                return;
            } catch (Problem e) {
                // by another connection, then
            }
        }
        if (order != null) {
            discardByAnother(order);
        }
    }

    /** The receiver is dead or out of reach: what it left is removed by another one. */
    private void discardByAnother(Order given) throws Problem, InterruptedException {
        try {
            Handover.Target there = far.refuse(given.id(), given.token()).state();
            if (there != Handover.Target.REFUSED && there != Handover.Target.NONE) {
                throw Problem.failed("it says " + there);
            }
            far.done(given.id(), given.token());
        } catch (Problem e) {
            throw Problem.failed(node + " may not be clean; later run here: migrator recover")
                    .because(e.getMessage())
                    .causedBy(e);
        }
    }

    @Override
    public Optional<Account> account() throws InterruptedException {
        if (!line.works()) {
            return Optional.empty();
        }
        try {
            return Optional.of(line.ask(Kind.ACCOUNT, null, ACCOUNT).body(Account.class));
        } catch (IOException | Problem e) {
            return Optional.empty(); // what it did is done, whether it tells or not
        }
    }

    @Override
    public void close() {
        line.close();
    }

    @Override
    public JobSink sink() {
        return this;
    }

    @Override
    public void open(int file, String name) throws Problem {
        line.send(new Frame.FileOpen(file, name));
    }

    @Override
    public void data(int file, long offset, ByteBuffer bytes) throws Problem {
        line.send(new Frame.FileData(file, offset, bytes));
    }

    @Override
    public void end(int file, long length) throws Problem {
        line.send(new Frame.FileEnd(file, length));
    }

    @Override
    public void pages(int pid, List<PageRange> places, ByteBuffer bytes) throws Problem {
        line.send(PageFrames.of(pid, places, bytes));
    }

    @Override
    public void zeros(int pid, PageRange place) throws Problem {
        line.send(new Frame.ZeroPages(pid, place.start(), place.bytes()));
    }

    @Override
    public void padding(ByteBuffer bytes) throws Problem {
        paddingBytes += bytes.remaining();
        line.send(new Frame.Padding(bytes));
    }

    @Override
    public long sentBytes() {
        return line.sentBytes() - paddingBytes;
    }
}
