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

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
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

    /** So many may build on each other. */
    private static final int MOST_LINKS = 1000;

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
        try {
            return ArchiveScan.head(file);
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    /**
     * The archives that have its job, the one with all of the memory first, this one last.
     *
     * @throws Problem if one of them is not beside it
     */
    public List<ArchiveReader> chain() throws Problem {
        Deque<ArchiveReader> chain = new ArrayDeque<>(List.of(this));
        ArchiveHead.Parent parent = head().parent();
        while (parent != null) {
            ArchiveReader before = new ArchiveReader(file.resolveSibling(parent.file()));
            boolean there = Files.exists(before.file);
            if (!there || !before.head().id().equals(parent.id()) || chain.size() >= MOST_LINKS) {
                throw Problem.refused(file + " builds on an archive that is not there")
                        .because(
                                there
                                        ? before.file + " is another one"
                                        : before.file + " does not exist")
                        .tryThis("put it there again, or take an archive that has all");
            }
            chain.addFirst(before);
            parent = before.head().parent();
        }
        return List.copyOf(chain);
    }

    /** Reads and checks all of it, but not what it builds on. */
    public Contents contents() throws Problem, InterruptedException {
        Summary summary = new Summary();
        ArchiveHead head = read(summary);
        Kept kept = summary.kept;
        if (kept == null) {
            throw unreadable(new IOException("it does not say what its job needs"));
        }
        return new Contents(
                head, kept, summary.files, summary.pageBytes, summary.zeroBytes, summary.fileBytes);
    }

    /** Adds up. */
    private static final class Summary implements ArchiveScan.Visitor {
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

    /** Gives a target that is prepared the memory in it, and nothing else. */
    public void replayMemory(Target target) throws Problem, InterruptedException {
        JobSink sink = target.sink();
        read(frame -> {
            if (frame instanceof Frame.Pages
                    || frame instanceof Frame.ScatteredPages
                    || frame instanceof Frame.ZeroPages) {
                give(frame, sink);
            }
        });
    }

    /**
     * Tells a target that is prepared all that it needs to hold the job, but what it builds on.
     *
     * @param replaces whether files of the job may replace others there
     */
    public void replay(Target target, boolean replaces) throws Problem, InterruptedException {
        JobSink sink = target.sink();
        read(
                new ArchiveScan.Visitor() {
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
    private static final class ImageCopies implements ArchiveScan.Visitor, AutoCloseable {
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
                target.carry(
                        replaces ? files.stream().map(CarriedFile::replacing).toList() : files);
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

    private ArchiveHead read(ArchiveScan.Visitor visitor) throws Problem, InterruptedException {
        try {
            return ArchiveScan.read(file, visitor);
        } catch (IOException e) {
            throw unreadable(e);
        }
    }
}
