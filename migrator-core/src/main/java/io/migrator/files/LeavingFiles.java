package io.migrator.files;

import io.migrator.linux.FileState;
import io.migrator.memory.JobSink;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** The files of a job that go along, on the source. One thread at a time. */
public final class LeavingFiles implements AutoCloseable {
    /** Told before each block that is sent. */
    @FunctionalInterface
    public interface Between {
        /** An exception stops it. */
        void block() throws Problem, InterruptedException;
    }

    private static final int REHEARSALS = 30;
    private static final int REHEARSED_PAGES = 512;

    /** Another name of a file. */
    private record HardLink(int number, UsedFile use, LeavingFile file) {}

    /** What is no plain file, as it was announced last. */
    private record Other(int number, TreeEntry entry) {}

    private final Map<String, LeavingFile> files = new LinkedHashMap<>();
    private final Map<String, HardLink> hardLinks = new LinkedHashMap<>();
    private final Map<String, Other> others = new LinkedHashMap<>();
    private final Path root;
    private final List<LeavingFile> replaced = new ArrayList<>();

    /** Those of the node that were placed last. */
    private final List<GoneFiles.Gone> going = new ArrayList<>();

    private final ByteBuffer block = ByteBuffer.allocateDirect(LeavingFile.BLOCK_BYTES);
    private int numbers;

    /**
     * None yet.
     *
     * @param root of the instance, as the node sees it
     */
    public LeavingFiles(Path root) {
        this.root = root;
    }

    /**
     * Takes one more along; another of the same name is not wanted any more.
     *
     * @param replaces whether another file may be replaced by it on the target
     * @return how the target is to make it
     */
    public CarriedFile add(UsedFile use, boolean replaces) throws IOException {
        LeavingFile file = new LeavingFile(numbers++, use);
        LeavingFile before = files.put(use.path(), file);
        if (before != null) {
            replaced.add(before);
        }
        return file.carried(replaces);
    }

    /**
     * Sends a file of the moment nowhere, again and again: what a JVM does for the first time takes
     * long, and none of it is to be while the job stands still.
     *
     * @param scratch an existing directory of the caller's own
     */
    public static void rehearse(Path scratch) throws IOException, Problem, InterruptedException {
        Path path = scratch.resolve("rehearsal-of-files");
        try (LeavingFiles some = new LeavingFiles(Path.of("/"));
                FileChannel file =
                        FileChannel.open(
                                path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            FileState state = FileState.of(path);
            some.add(
                    new UsedFile(
                            path.toString(), path, UsedFile.Use.MAPPABLE, "nobody", path, state),
                    false);
            for (int i = 0; i < REHEARSALS; i++) {
                for (long page = 0; page < REHEARSED_PAGES; page += 2) { // with holes between
                    ByteBuffer word = ByteBuffer.allocate(Long.BYTES).putLong(0, i + page);
                    file.write(word, page * SentPages.PAGE);
                }
                some.pass(new NoSink(), false, () -> {});
                some.placed(List.of());
            }
        } finally {
            Files.deleteIfExists(path);
        }
    }

    /** A number for a directory. */
    public int nextNumber() {
        return numbers++;
    }

    /** Whether a file goes along, the one that has this name now. */
    public boolean has(UsedFile use) {
        LeavingFile known = files.get(use.path());
        if (known != null && known.state().isOf(use.state())) {
            known.use(use);
            return true;
        }
        HardLink link = hardLinks.get(use.path());
        if (link == null || !link.file.state().isOf(use.state()) || !isNamed(link.file)) {
            return false;
        }
        link.file.use(use);
        return true;
    }

    /** One that goes along and is this very file under another name, if it still has it. */
    public Optional<UsedFile> sameAs(UsedFile use) {
        return files.values().stream()
                .filter(each -> each.state().isOf(use.state()) && isNamed(each))
                .map(LeavingFile::use)
                .findFirst();
    }

    /**
     * Takes another name of a file along.
     *
     * @param of as {@link #sameAs} has it
     */
    public CarriedFile addLink(UsedFile use, UsedFile of, boolean replaces) {
        LeavingFile file = Objects.requireNonNull(files.get(of.path()));
        HardLink link = new HardLink(numbers++, use, file);
        hardLinks.put(use.path(), link);
        CarriedFile there = file.carried(replaces);
        Path onNode = use.onNode();
        return new CarriedFile(
                link.number,
                onNode == null,
                onNode == null ? use.path() : onNode.toString(),
                CarriedFile.Kind.HARD_LINK,
                String.valueOf(file.number()),
                there.mode(),
                there.uid(),
                there.gid(),
                replaces);
    }

    /** Announces what is no plain file, if that was not done before. */
    public List<CarriedFile> announce(List<TreeEntry> entries, boolean replaces) {
        List<CarriedFile> news = new ArrayList<>();
        List<TreeEntry> parentsFirst =
                entries.stream().sorted(Comparator.comparing(TreeEntry::path)).toList();
        for (TreeEntry each : parentsFirst) {
            Other known = others.get(each.path());
            if (known == null || !known.entry.isAs(each)) {
                known = new Other(numbers++, each);
                others.put(each.path(), known);
                news.add(each.carried(known.number, replaces));
            }
        }
        return news;
    }

    /**
     * Sends of each what is not on the target as it is here.
     *
     * @param runs whether the job does
     * @return bytes sent
     */
    public long pass(JobSink sink, boolean runs, Between between)
            throws Problem, InterruptedException {
        long bytes = 0;
        for (LeavingFile each : files.values()) {
            try {
                bytes += each.pass(sink, block, runs, between);
            } catch (IOException e) {
                throw Problem.failed(each.use().path() + " could not be sent")
                        .because(e.getMessage())
                        .causedBy(e);
            }
        }
        return bytes;
    }

    /**
     * As they are to be when the job is restored, after the last pass: those that have a name, and
     * directories after what is in them.
     *
     * @param entries what is no plain file now; it was announced
     */
    public List<PlacedFile> placed(List<TreeEntry> entries) throws IOException {
        List<PlacedFile> placed = new ArrayList<>();
        going.clear();
        for (LeavingFile each : files.values()) {
            if (isNamed(each)) {
                placed.add(each.placed());
                add(each.use(), each.state());
            }
        }
        for (HardLink each : hardLinks.values()) {
            FileState state = each.file.state();
            if (isNamed(each.file) && isNamed(each.use, state)) {
                placed.add(PlacedFile.of(each.number, state, 0, Map.of(), null));
                add(each.use, state);
            }
        }
        List<PlacedFile> directories = new ArrayList<>();
        for (TreeEntry each : entries) {
            int number = Objects.requireNonNull(others.get(each.path())).number;
            boolean directory = each.kind() == CarriedFile.Kind.DIRECTORY;
            (directory ? directories : placed).add(each.placed(number));
            if (each.onNode() != null) {
                going.add(new GoneFiles.Gone(each.onNode(), each.state()));
            }
        }
        placed.addAll(directories); // found after what is in them
        return placed;
    }

    private void add(UsedFile use, FileState state) {
        Path onNode = use.onNode();
        if (onNode != null && use.written()) {
            going.add(new GoneFiles.Gone(onNode, state));
        }
    }

    private boolean isNamed(LeavingFile file) {
        return isNamed(file.use(), file.state());
    }

    private boolean isNamed(UsedFile use, FileState state) {
        Path onNode = use.onNode();
        Optional<FileState> there =
                onNode == null ? Mounts.named(root, Path.of(use.path())) : Mounts.named(onNode);
        return there.filter(state::isOf).isPresent();
    }

    /**
     * Writes down which files of the node are to be removed here when the job has gone: of those
     * that were placed last the ones that it may write, if they are its owner's.
     *
     * @param uid of the owner
     * @param overlay of the instance, all of which went
     */
    public void list(Path spool, int uid, Optional<Overlay> overlay) throws IOException {
        GoneFiles.write(
                spool, going.stream().filter(each -> each.state().uid() == uid).toList(), overlay);
    }

    /** Whether there are none. */
    public boolean isEmpty() {
        return files.isEmpty() && others.isEmpty();
    }

    /** The number of the file that a name in the stream means; null if it is an image's. */
    public static @Nullable Integer numberOf(String name) {
        try {
            return name.startsWith(LeavingFile.NAME)
                    ? Integer.valueOf(name.substring(LeavingFile.NAME.length()))
                    : null;
        } catch (NumberFormatException e) {
            return null; // no image has such a name: it is refused as one
        }
    }

    @Override
    public void close() throws IOException {
        replaced.addAll(files.values());
        for (LeavingFile each : replaced) {
            each.close();
        }
        files.clear();
        replaced.clear();
    }
}
