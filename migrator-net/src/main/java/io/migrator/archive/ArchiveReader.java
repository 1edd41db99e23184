package io.migrator.archive;

import io.migrator.files.CarriedFile;
import io.migrator.files.PlacedFile;
import io.migrator.linux.FileState;
import io.migrator.linux.User;
import io.migrator.memory.ImageFeed;
import io.migrator.memory.JobSink;
import io.migrator.migration.Kept;
import io.migrator.migration.Target;
import io.migrator.network.NetworkLock;
import io.migrator.problem.Problem;
import io.migrator.remote.PageFrames;
import io.migrator.wire.Frame;
import io.migrator.wire.FrameReader;
import io.migrator.wire.StreamKind;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * Reads an archive, which may come from anybody: what is not as it must be is refused, with the
 * place. {@link #contents} reads all of it and changes nothing; {@link #replay} tells it to a
 * target. One thread.
 *
 * @param file that holds it
 */
public record ArchiveReader(Path file) {
    private static final int OTHERS_WRITE = 022;

    /**
     * What an archive has.
     *
     * @param kept what a node must be told, and must have
     * @param files that go along
     * @param pageBytes of memory, what was sent again counted again
     * @param zeroBytes of memory that holds nothing
     * @param fileBytes of images and files
     */
    public record Contents(
            ArchiveHead head,
            Kept kept,
            List<CarriedFile> files,
            long pageBytes,
            long zeroBytes,
            long fileBytes) {}

    /** What is done with what is read. */
    private interface Visitor {
        default void entry(Entry entry) throws IOException, Problem, InterruptedException {}

        void frame(Frame frame) throws IOException, Problem, InterruptedException;
    }

    /**
     * Refuses a file that others could have written.
     *
     * @throws Problem if it is not the user's own, or root's
     */
    public ArchiveReader orForeign() throws Problem {
        try {
            FileState state = FileState.of(file);
            boolean own = state.uid() == User.id() || state.uid() == 0;
            if (!own || (state.permissions() & OTHERS_WRITE) != 0) {
                throw Problem.refused(file + " may have been written by others")
                        .because(
                                own
                                        ? "its permissions let them"
                                        : "it belongs to user " + state.uid())
                        .tryThis(own ? "chmod go-w " + file : "copy it, if you trust its owner");
            }
            return this;
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    private Problem unreadable(IOException e) {
        return Problem.refused(file + " is no whole archive")
                .because(e.getMessage())
                .tryThis("take another one; an encrypted one is to be decrypted first")
                .causedBy(e);
    }

    /** Reads the beginning only. */
    public ArchiveHead head() throws Problem {
        try (FileChannel channel = FileChannel.open(file)) {
            return head(new FrameReader(channel, StreamKind.ARCHIVE).next());
        } catch (IOException | IllegalArgumentException e) {
            throw unreadable(e instanceof IOException io ? io : new IOException(e));
        }
    }

    private static ArchiveHead head(Frame first) throws IOException {
        if (first instanceof Frame.Control control) {
            Entry entry = Entry.of(control);
            if (entry.kind() == Entry.Kind.HEAD) {
                return entry.as(ArchiveHead.class);
            }
        }
        throw new IOException("it does not begin with a head");
    }

    /** Reads and checks all of it. */
    public Contents contents() throws Problem, InterruptedException {
        Summary summary = new Summary();
        ArchiveHead head = read(summary);
        Kept kept = summary.kept;
        if (kept == null) {
            throw unreadable(new IOException("it does not say what its job needs"));
        }
        return new Contents(
                head,
                kept,
                summary.files,
                summary.pageBytes,
                summary.zeroBytes,
                summary.fileBytes);
    }

    /** Adds up. */
    private static final class Summary implements Visitor {
        private final List<CarriedFile> files = new ArrayList<>();
        private @Nullable Kept kept;
        private boolean restores;
        private long pageBytes;
        private long zeroBytes;
        private long fileBytes;

        @Override
        public void entry(Entry entry) throws IOException {
            switch (entry.kind()) {
                case CARRY -> files.addAll(entry.list(CarriedFile.class));
                case PLACE -> entry.list(PlacedFile.class);
                case RESTORE -> restores = true;
                case LOAD -> {
                    if (!restores) {
                        throw new IOException("it has no images");
                    }
                    entry.as(Long.class);
                }
                case KEPT -> kept = entry.as(Kept.class);
                case HEAD, DIGEST -> {}
            }
        }

        @Override
        public void frame(Frame frame) {
            switch (frame) {
                case Frame.Pages pages -> pageBytes += pages.data().remaining();
                case Frame.ScatteredPages pages -> pageBytes += pages.data().remaining();
                case Frame.ZeroPages zeros -> zeroBytes += zeros.bytes();
                case Frame.FileData data -> fileBytes += data.data().remaining();
                default -> {}
            }
        }
    }

    /**
     * Tells a target that is prepared all that it needs to hold the job.
     *
     * @param replaces whether files of the job may replace others there
     */
    public void replay(Target target, boolean replaces) throws Problem, InterruptedException {
        JobSink sink = target.sink();
        read(
                new Visitor() {
                    @Override
                    public void entry(Entry entry)
                            throws IOException, Problem, InterruptedException {
                        tell(entry, target, replaces);
                    }

                    @Override
                    public void frame(Frame frame) throws Problem, InterruptedException {
                        give(frame, sink);
                    }
                });
    }

    /**
     * Puts criu's images into a directory, but for those of memory.
     *
     * @param directory empty, the caller's own
     */
    public void images(Path directory) throws Problem, InterruptedException {
        try (ImageCopies copies = new ImageCopies(directory)) {
            read(copies);
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    /** The files of an archive that tell of the job what its memory does not. */
    private static final class ImageCopies implements Visitor, AutoCloseable {
        private static final String MEMORY = "pages-";

        private final Path directory;
        private final Map<Integer, FileChannel> open = new HashMap<>();

        ImageCopies(Path directory) {
            this.directory = directory;
        }

        @Override
        public void frame(Frame frame) throws IOException {
            switch (frame) {
                case Frame.FileOpen(int id, String name) -> {
                    if (ImageFeed.isImage(name) && !name.startsWith(MEMORY)) {
                        open.put(
                                id,
                                FileChannel.open(
                                        directory.resolve(name),
                                        StandardOpenOption.CREATE_NEW,
                                        StandardOpenOption.WRITE));
                    }
                }
                case Frame.FileData(int id, long offset, ByteBuffer data) -> {
                    FileChannel to = open.get(id);
                    if (to != null) {
                        to.write(data, offset);
                    }
                }
                case Frame.FileEnd(int id, long _) -> {
                    FileChannel to = open.remove(id);
                    if (to != null) {
                        to.close();
                    }
                }
                default -> {}
            }
        }

        @Override
        public void close() throws IOException {
            for (FileChannel each : open.values()) {
                each.close();
            }
        }
    }

    private static void tell(Entry entry, Target target, boolean replaces)
            throws IOException, Problem, InterruptedException {
        switch (entry.kind()) {
            case CARRY -> {
                List<CarriedFile> files = entry.list(CarriedFile.class);
                target.carry(replaces ? files.stream().map(CarriedFile::replacing).toList() : files);
            }
            case PLACE -> target.place(entry.list(PlacedFile.class));
            case RESTORE -> target.restore(entry.list(NetworkLock.Pair.class));
            case LOAD -> target.load(entry.as(Long.class));
            case HEAD, KEPT, DIGEST -> {}
        }
    }

    private static void give(Frame frame, JobSink sink) throws Problem, InterruptedException {
        switch (frame) {
            case Frame.FileOpen(int id, String name) -> sink.open(id, name);
            case Frame.FileData(int id, long offset, ByteBuffer data) ->
                    sink.data(id, offset, data);
            case Frame.FileEnd(int id, long length) -> sink.end(id, length);
            case Frame.Pages pages ->
                    sink.pages(pages.pid(), PageFrames.places(pages), pages.data());
            case Frame.ScatteredPages pages ->
                    sink.pages(pages.pid(), PageFrames.places(pages), pages.data());
            case Frame.ZeroPages zeros -> sink.zeros(zeros.pid(), PageFrames.place(zeros));
            case Frame.Control _, Frame.Padding _, Frame.End _ -> {}
        }
    }

    private static String hex(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest());
    }

    private ArchiveHead read(Visitor visitor) throws Problem, InterruptedException {
        try (FileChannel channel = FileChannel.open(file)) {
            Digested digested = new Digested(channel, ArchiveTarget.sha256());
            FrameReader in = new FrameReader(digested, StreamKind.ARCHIVE);
            ArchiveHead head = head(in.next());
            boolean digestSeen = false;
            MessageDigest before = digested.soFar();
            Frame frame = in.next();
            while (!(frame instanceof Frame.End)) {
                if (digestSeen) {
                    throw new IOException("something follows its digest");
                }
                if (frame instanceof Frame.Control control) {
                    Entry entry = Entry.of(control);
                    digestSeen = entry.kind() == Entry.Kind.DIGEST;
                    if (digestSeen && !entry.as(String.class).equals(hex(before))) {
                        throw new IOException("its digest is not that of its contents");
                    }
                    visitor.entry(entry);
                } else {
                    visitor.frame(frame);
                }
                before = digested.soFar();
                frame = in.next();
            }
            in.expectClosed();
            if (!digestSeen) {
                throw new IOException("it has no digest");
            }
            return head;
        } catch (ClosedByInterruptException e) {
            Thread.interrupted();
            throw new InterruptedException();
        } catch (IOException e) {
            throw unreadable(e);
        } catch (IllegalArgumentException e) {
            throw unreadable(new IOException(e.getMessage(), e));
        }
    }
}
