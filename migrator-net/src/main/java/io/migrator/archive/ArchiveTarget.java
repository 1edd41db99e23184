package io.migrator.archive;

import io.migrator.files.CarriedFile;
import io.migrator.files.FileAnswer;
import io.migrator.files.FileClaim;
import io.migrator.files.PlacedFile;
import io.migrator.files.UsedFile;
import io.migrator.instance.Instances;
import io.migrator.linux.Clocks;
import io.migrator.linux.FileSystem;
import io.migrator.memory.JobSink;
import io.migrator.memory.LateMemory;
import io.migrator.memory.PageRange;
import io.migrator.migration.Account;
import io.migrator.migration.Kept;
import io.migrator.migration.Order;
import io.migrator.migration.Prepared;
import io.migrator.migration.Survey;
import io.migrator.migration.Target;
import io.migrator.migration.TargetFacts;
import io.migrator.network.NetworkLock;
import io.migrator.problem.Problem;
import io.migrator.remote.PageFrames;
import io.migrator.wire.Compression;
import io.migrator.wire.Frame;
import io.migrator.wire.FrameWriter;
import io.migrator.wire.StreamKind;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A file as a target: what a node would be sent is written down, and {@link ArchiveReader} tells it
 * to a node later. Taking the job means that the file is whole, on the disk, and has its name.
 *
 * <p>What the job writes to on this node's own file systems goes along; what it only reads, and
 * what lies on a remote file system, is to be there when it is restored.
 *
 * <p>Thread rules are those of {@link Target}.
 */
public final class ArchiveTarget implements Target, JobSink {
    /** So much may wait in memory to be written to the disk while the job runs. */
    private static final long UNSYNCED_BYTES = 256L << 20;

    /** A larger file that is only read is known by its size: reading it would take too long. */
    private static final long MOST_DIGESTED_BYTES = 4L << 30;

    private final @Nullable Path place;
    private final boolean replaces;
    private final ArchiveHead.@Nullable Parent parent;
    private final String program;
    private final Compression compression;
    private final Map<String, FileClaim> stayed = new LinkedHashMap<>();
    private final MessageDigest digest;
    private @Nullable Survey survey;
    private @Nullable Order order;
    private @Nullable ArchiveFile file;
    private @Nullable FrameWriter out;
    private final AtomicLong unsynced = new AtomicLong();
    private volatile boolean frozen;
    private boolean taken;

    /**
     * An archive that has not begun.
     *
     * @param place absolute; null for standard output
     * @param replaces whether another file there may be replaced
     * @param parent the archive that has the rest of the job's memory; null if it is to have all
     * @param program that writes it, with its version
     */
    public ArchiveTarget(
            @Nullable Path place,
            boolean replaces,
            ArchiveHead.@Nullable Parent parent,
            String program,
            Compression compression) {
        this.parent = parent;
        this.place = place;
        this.replaces = replaces;
        this.program = program;
        this.compression = compression;
        this.digest = sha256();
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e); // every JDK has it
        }
    }

    @Override
    public TargetFacts survey(Survey asked) throws Problem {
        survey = asked.digested();
        if (place != null) {
            ArchiveFile.orFree(place, replaces);
        }
        return TargetFacts.ofKeeper(place == null ? "standard output" : place.toString(), asked);
    }

    @Override
    public List<FileAnswer> files(List<FileClaim> claims) throws Problem {
        List<FileAnswer> answers = new ArrayList<>();
        for (FileClaim each : claims) {
            boolean goes = goes(each);
            if (!goes) {
                boolean read = each.use() == UsedFile.Use.READ;
                boolean small = each.identity().bytes() <= MOST_DIGESTED_BYTES;
                stayed.put(each.identity().path(), read && small ? each.digested() : each);
            }
            answers.add(
                    new FileAnswer(goes ? FileAnswer.State.ABSENT : FileAnswer.State.SAME, "", ""));
        }
        return answers;
    }

    private static boolean goes(FileClaim claim) throws Problem {
        Path path = Path.of(claim.identity().path());
        try {
            return claim.use() != UsedFile.Use.BOUND
                    && claim.use() != UsedFile.Use.READ
                    && !FileSystem.of(path).isRemote();
        } catch (IOException e) {
            throw Problem.failed(path + " cannot be looked at").because(e.getMessage());
        }
    }

    @Override
    public Prepared prepare(Order wanted) throws Problem {
        order = wanted;
        ArchiveFile begun =
                place == null
                        ? ArchiveFile.ofOutput()
                        : ArchiveFile.create(place, wanted.id(), replaces);
        file = begun;
        try {
            out =
                    new FrameWriter(
                            new DigestOutputStream(begun.stream(), digest),
                            compression,
                            StreamKind.ARCHIVE);
        } catch (IOException e) {
            throw ArchiveFile.failed(e);
        }
        say(
                Entry.Kind.HEAD,
                new ArchiveHead(
                        wanted.token(),
                        parent,
                        System.currentTimeMillis(),
                        Instances.hostName(),
                        wanted.instance(),
                        program));
        if (!wanted.directories().isEmpty()) {
            say(Entry.Kind.CARRY, wanted.directories());
        }
        return new Prepared(wanted.runDirectory() != null);
    }

    private void say(Entry.Kind kind, @Nullable Object body) throws Problem {
        try {
            writer().write(Entry.frame(kind, body));
        } catch (IOException e) {
            throw ArchiveFile.failed(e);
        } catch (IllegalArgumentException e) { // a message has its bound
            throw Problem.failed("the job has more than an archive can tell")
                    .because(e.getMessage());
        }
    }

    private void write(Frame frame, long bytes) throws Problem {
        try {
            writer().write(frame);
            boolean many = unsynced.addAndGet(bytes) > UNSYNCED_BYTES;
            if (many && !frozen) { // else the job would wait for it when it stands still
                unsynced.set(0);
                opened().sync();
            }
        } catch (IOException e) {
            throw ArchiveFile.failed(e);
        }
    }

    private FrameWriter writer() throws Problem {
        return begun(out);
    }

    private ArchiveFile opened() throws Problem {
        return begun(file);
    }

    private static <T> T begun(@Nullable T part) throws Problem {
        if (part == null) {
            throw Problem.failed("the archive has not begun");
        }
        return part;
    }

    /** A file does nothing by itself. */
    @Override
    public Optional<Account> account() {
        return Optional.empty();
    }

    @Override
    public void carry(List<CarriedFile> files) throws Problem {
        say(Entry.Kind.CARRY, files);
    }

    @Override
    public void sync() throws Problem {
        try {
            opened().sync();
        } catch (IOException e) {
            throw ArchiveFile.failed(e);
        }
    }

    @Override
    public void place(List<PlacedFile> files) throws Problem {
        say(Entry.Kind.PLACE, files);
    }

    @Override
    public void wanting(LateMemory.Wanting told) {
        throw new UnsupportedOperationException("an archive keeps all of the memory");
    }

    @Override
    public void frozen() {
        frozen = true;
    }

    @Override
    public JobSink sink() {
        return this;
    }

    @Override
    public void restore(List<NetworkLock.Pair> pairs) throws Problem {
        say(Entry.Kind.RESTORE, pairs);
    }

    @Override
    public void load(long pageBytes) throws Problem {
        say(Entry.Kind.LOAD, pageBytes);
        say(
                Entry.Kind.KEPT,
                new Kept(begun(survey), begun(order), List.copyOf(stayed.values()), now()));
        try {
            String before = HexFormat.of().formatHex(Digested.copy(digest).digest());
            say(Entry.Kind.DIGEST, before);
            writer().write(new Frame.End());
        } catch (IOException e) {
            throw ArchiveFile.failed(e);
        }
    }

    private static Clocks now() throws Problem {
        try {
            return Clocks.now();
        } catch (IOException e) {
            throw Problem.failed("the clocks of this node are not known").because(e.toString());
        }
    }

    @Override
    public void take() throws Problem {
        try {
            opened().commit();
            taken = true;
        } catch (IOException e) {
            throw ArchiveFile.failed(e);
        }
    }

    @Override
    public void fill() {
        throw new UnsupportedOperationException("an archive keeps all of the memory");
    }

    @Override
    public void done() {
        // nobody else knows of it
    }

    @Override
    public void discard() throws Problem {
        try {
            if (file != null && !taken) {
                file.close();
            }
        } catch (IOException e) {
            throw Problem.failed("what was written of the archive could not be removed")
                    .because(e.toString());
        }
    }

    /** How a later archive names this one; after {@link #take}. */
    public ArchiveHead.Parent asParent() throws Problem {
        Path name = begun(place).getFileName();
        return new ArchiveHead.Parent(String.valueOf(name), begun(order).token());
    }

    /** Bytes written so far. */
    @Override
    public long sentBytes() {
        return out == null ? 0 : out.sentBytes();
    }

    @Override
    public void open(int id, String name) throws Problem {
        write(new Frame.FileOpen(id, name), 0);
    }

    @Override
    public void data(int id, long offset, ByteBuffer bytes) throws Problem {
        write(new Frame.FileData(id, offset, bytes), bytes.remaining());
    }

    @Override
    public void end(int id, long length) throws Problem {
        write(new Frame.FileEnd(id, length), 0);
    }

    @Override
    public void pages(int pid, List<PageRange> places, ByteBuffer bytes) throws Problem {
        write(PageFrames.of(pid, places, bytes), bytes.remaining());
    }

    @Override
    public void zeros(int pid, PageRange place) throws Problem {
        write(new Frame.ZeroPages(pid, place.start(), place.bytes()), 0);
    }

    @Override
    public void padding(ByteBuffer bytes) {
        // what it is to warm is not used
    }

    @Override
    public void close() {
        try {
            discard();
        } catch (Problem e) {
            // recover finds it
        }
    }
}
