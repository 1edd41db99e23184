package io.migrator.files;

import io.migrator.files.CarriedFile.Kind;
import io.migrator.linux.ExtendedAttributes;
import io.migrator.linux.FileState;
import io.migrator.linux.FileSystem;
import io.migrator.linux.FileTimes;
import io.migrator.linux.HeldDirectory;
import io.migrator.linux.HeldFile;
import io.migrator.linux.User;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Carried files as they come in on the target. Each is made under a name of its own beside its
 * place, in a directory whose path holds no link, and comes to its place by {@link #place}. Until
 * {@link #keep} all of it can be taken back, by another process too. One thread.
 */
public final class ArrivingFiles implements AutoCloseable {
    /** Name of the list of what was made, in the spool. */
    private static final String LIST = "made-files";

    private static final Path NODE = Path.of("/");
    private static final int STICKY = 01000;
    private static final int REHEARSALS = 10;

    /** What comes; nothing is there yet of what is made last. */
    private record Coming(
            CarriedFile file,
            HeldDirectory directory,
            @Nullable HeldFile held,
            @Nullable FileChannel channel)
            implements AutoCloseable {
        FileChannel content() throws IOException {
            if (channel == null) {
                throw new IOException("it is no plain file");
            }
            return channel;
        }

        @Override
        public void close() throws IOException {
            if (channel != null) {
                channel.close();
            }
            if (held != null) {
                held.close();
            }
            directory.close();
        }
    }

    private final Map<Integer, Coming> coming = new TreeMap<>();

    /** Those that bytes have come of since they were last written to the disk. */
    private final Set<Coming> news = new HashSet<>();

    private final MadeFiles made;
    private final Path spool;
    private @Nullable Path inside;
    private @Nullable Overlay overlay;
    private boolean practises;

    /**
     * None yet.
     *
     * @param id of the migration
     * @param spool directory
     */
    public ArrivingFiles(String id, Path spool) {
        this.made = new MadeFiles(id, spool.resolve(LIST));
        this.spool = spool;
    }

    /** What an instance that is started next changes of its root is kept there. */
    public void overlay(Overlay overlay) throws Problem {
        try {
            Optional<Path> there = overlay.inTheWay();
            if (there.isPresent()) {
                throw new FileAlreadyExistsException(there.get().toString());
            }
            made.overlay(overlay.path());
            this.overlay = overlay;
        } catch (IOException e) {
            throw noRoom(overlay.path().toString(), e);
        }
    }

    /** The instance has begun to fill it. */
    public void overlaid(Overlay overlay) throws Problem {
        try {
            made.overlay(overlay.path(), FileState.of(overlay.upper()));
        } catch (IOException e) {
            throw Problem.failed(overlay.upper() + " is not there").because(e.toString());
        }
    }

    /** The instance is there. */
    public void inside(Path root) {
        inside = root;
    }

    /**
     * Makes one of each kind, and removes it: what a JVM does for the first time takes long, and
     * none of it is to be while the job stands still.
     */
    private static void rehearse(Path spool) throws Problem, IOException {
        Path scratch = Files.createTempDirectory(spool, "rehearsal").toRealPath();
        String file = scratch.resolve("file").toString();
        try (ArrivingFiles some = new ArrivingFiles("rehearsal", scratch)) {
            some.practises = true;
            for (int i = 0; i < REHEARSALS; i++) {
                int first = i * Kind.values().length;
                for (Kind kind : Kind.values()) {
                    String to =
                            switch (kind) {
                                case HARD_LINK -> String.valueOf(first + Kind.FILE.ordinal());
                                case SYMBOLIC_LINK -> "file";
                                default -> "";
                            };
                    String path = kind == Kind.FILE ? file : file + "-" + kind;
                    int number = first + kind.ordinal();
                    some.make(
                            List.of(new CarriedFile(number, false, path, kind, to, 0, 0, 0, true)));
                    if (kind != Kind.DIRECTORY) {
                        some.place(List.of(PlacedFile.ofNothing(number)));
                    }
                }
            }
            some.remove();
        } finally {
            Files.deleteIfExists(scratch.resolve(LIST));
            Files.delete(scratch);
        }
    }

    /** Makes directories, and files that are empty. */
    public void make(List<CarriedFile> files) throws Problem {
        if (!practises && files.stream().anyMatch(each -> !each.directory())) {
            practises = true;
            try {
                rehearse(spool);
            } catch (IOException e) {
                throw Problem.failed("files could not be made for practice").because(e.toString());
            }
        }
        for (CarriedFile each : files) {
            try {
                if (coming.containsKey(each.number())) {
                    throw new IOException("its number was used before");
                }
                switch (each.kind()) {
                    case DIRECTORY -> makeDirectory(each);
                    case FILE -> makeFile(each);
                    default -> await(each);
                }
            } catch (IOException e) {
                throw noRoom(each.path(), e);
            }
        }
    }

    private static Problem noRoom(String path, IOException e) {
        String because =
                e instanceof FileAlreadyExistsException ? "it exists there" : e.getMessage();
        return Problem.failed(path + " could not be made on the target")
                .because(because)
                .tryThis("see that the path there is as it is here, and has room")
                .causedBy(e);
    }

    /**
     * The directory of a file; nobody else may have made it, or could exchange what is in it. What
     * only the instance has lies in its layer or in memory.
     */
    private HeldDirectory parentOf(CarriedFile file) throws IOException {
        Path root = file.inside() ? inside : NODE;
        if (root == null) {
            throw new IOException("the instance is not there yet");
        }
        HeldDirectory parent = HeldDirectory.open(root, file.parent());
        boolean right = false;
        try {
            FileState state = FileState.of(parent.directory());
            boolean trusted =
                    state.uid() == 0 || state.uid() == User.id() || state.uid() == file.uid();
            if (!trusted && (state.mode() & STICKY) == 0) {
                throw new IOException(file.parent() + " belongs to another user");
            }
            if (file.inside() && !FileSystem.of(parent.directory()).isLayer()) {
                throw new IOException(file.parent() + " is a directory of the node");
            }
            right = true;
            return parent;
        } finally {
            if (!right) {
                parent.close();
            }
        }
    }

    /** What is in its way is told before the job stands still. */
    private void await(CarriedFile file) throws IOException {
        HeldDirectory parent = parentOf(file);
        coming.put(file.number(), new Coming(file, parent, null, null));
        Path place = parent.file(file.name());
        boolean directory = Files.isDirectory(place, LinkOption.NOFOLLOW_LINKS);
        boolean free = file.inside() || (file.replaces() && !directory) || isThere(file, place);
        if (!free && Files.exists(place, LinkOption.NOFOLLOW_LINKS)) {
            throw new FileAlreadyExistsException(file.path());
        }
    }

    /** A link that leads to the same is the same. */
    private static boolean isThere(CarriedFile file, Path place) throws IOException {
        return file.kind() == Kind.SYMBOLIC_LINK
                && Files.isSymbolicLink(place)
                && Files.readSymbolicLink(place).toString().equals(file.to());
    }

    private void makeDirectory(CarriedFile file) throws IOException {
        if (file.inside()) {
            coming.put(file.number(), new Coming(file, parentOf(file), null, null));
        }
        try (HeldDirectory parent = parentOf(file)) {
            Path at = parent.file(file.name());
            if (Files.isDirectory(at, LinkOption.NOFOLLOW_LINKS)) {
                return;
            }
            if (file.inside()) { // what the image has there the job has replaced
                Files.deleteIfExists(at);
            }
            Files.createDirectory(at);
            try (HeldDirectory directory = parent.below(file.name())) {
                FileState state = FileState.of(directory.directory());
                if (state.uid() != User.id()) {
                    throw new IOException("somebody exchanged it");
                }
                if (!file.inside()) {
                    made.directory(Path.of(file.path()), state);
                }
                own(directory.directory(), file.uid(), file.gid());
                Files.setAttribute(directory.directory(), "unix:mode", file.mode());
            }
        }
    }

    private void makeFile(CarriedFile file) throws IOException {
        Path path = Path.of(file.path());
        HeldDirectory parent = parentOf(file);
        HeldFile held = null;
        try {
            if (!file.inside()) {
                made.file(file.number(), path);
            }
            held = HeldFile.create(parent.file(made.comingName(file.number())));
            if (!file.inside()) {
                made.file(file.number(), path, held.state());
            }
            FileChannel channel =
                    FileChannel.open(
                            held.file(), StandardOpenOption.READ, StandardOpenOption.WRITE);
            coming.put(file.number(), new Coming(file, parent, held, channel));
        } catch (IOException e) {
            if (held != null) {
                held.close();
            }
            parent.close();
            throw e;
        }
    }

    /**
     * An ordinary user can give nothing away, and need not: his files are his there, too.
     *
     * @param at of a held file: no link is followed but to it
     */
    private static void own(Path at, int uid, int gid) throws IOException {
        if (User.isRoot()) {
            Files.setAttribute(at, "unix:uid", uid);
            Files.setAttribute(at, "unix:gid", gid);
        }
    }

    private Coming coming(int number) throws Problem {
        Coming found = coming.get(number);
        if (found == null) {
            throw Problem.failed("the source sent bytes of a file that was not announced");
        }
        return found;
    }

    /** Takes bytes of a file. */
    public void data(int number, long offset, ByteBuffer bytes) throws Problem {
        Coming to = coming(number);
        news.add(to);
        try {
            long at = offset;
            while (bytes.hasRemaining()) {
                at += to.content().write(bytes, at);
            }
        } catch (IOException e) {
            throw noRoom(to.file.path(), e);
        }
    }

    /** A file has this length now. */
    public void end(int number, long length) throws Problem {
        Coming to = coming(number);
        try {
            FileChannel content = to.content();
            long has = content.size();
            if (has > length) {
                content.truncate(length);
            } else if (has < length) { // what was not sent is a hole
                content.write(ByteBuffer.allocate(1), length - 1);
            }
        } catch (IOException e) {
            throw noRoom(to.file.path(), e);
        }
    }

    /**
     * What has come is on the disk when this returns. Else the job would wait for all of it: where
     * a file system writes data before the journal that names it (ext4's data=ordered), its first
     * fdatasync(2) of any file does.
     */
    public void sync() throws Problem {
        for (Coming each : news) {
            try {
                each.content().force(false);
            } catch (IOException e) {
                throw noRoom(each.file.path(), e);
            }
        }
        news.clear();
    }

    /** Brings files to their places, as they are to be; others that came are of no use any more. */
    public void place(List<PlacedFile> files) throws Problem {
        for (PlacedFile each : files) {
            Coming from = coming(each.number());
            try {
                switch (from.file.kind()) {
                    case DIRECTORY -> settle(each, from);
                    case FILE -> place(each, from);
                    default -> makeLast(each, from);
                }
            } catch (IOException e) {
                throw noRoom(from.file.path(), e);
            }
        }
    }

    private void place(PlacedFile placed, Coming from) throws IOException {
        String coming = made.comingName(placed.number());
        Path at = from.directory.file(coming);
        Optional<FileState> named = FileState.ofName(at);
        HeldFile held = Objects.requireNonNull(from.held); // a plain file is
        FileState state = held.state();
        if (named.isEmpty() || !named.get().isOf(state)) {
            throw new IOException("somebody exchanged " + coming);
        }
        if (state.bytes() != placed.bytes()) {
            throw new IOException("it did not arrive whole");
        }
        beLike(held.file(), placed);
        bring(placed, from);
    }

    /** As it was on the source; access control lists come after the permissions they refine. */
    private static void beLike(Path at, PlacedFile placed) throws IOException {
        own(at, placed.uid(), placed.gid());
        ExtendedAttributes.setOfUser(at, placed.attributes()); // while it may be written to
        Files.setAttribute(at, "unix:mode", placed.mode());
        ExtendedAttributes.setOthers(at, placed.attributes());
        FileTimes.modified(at, placed.modified(), true);
    }

    /** Under the name by which it came, to its place. */
    private void bring(PlacedFile placed, Coming from) throws IOException {
        Path at = from.directory.file(made.comingName(placed.number()));
        Path place = from.directory.file(from.file.name());
        boolean layered = from.file.inside(); // of which nobody else has anything
        if (!layered && Files.exists(place, LinkOption.NOFOLLOW_LINKS)) {
            if (!from.file.replaces()) {
                throw new FileAlreadyExistsException(from.file.path());
            }
            Path replaced = from.directory.file(made.replacedName(placed.number()));
            Files.move(place, replaced, StandardCopyOption.ATOMIC_MOVE);
        }
        if (layered && Files.isDirectory(place, LinkOption.NOFOLLOW_LINKS)) {
            from.directory.removeAll(from.file.name()); // the image's
        }
        Files.move(at, place, StandardCopyOption.ATOMIC_MOVE);
    }

    /** A link or a fifo. */
    private void makeLast(PlacedFile placed, Coming from) throws IOException {
        if (isThere(from.file, from.directory.file(from.file.name()))) {
            return;
        }
        String coming = made.comingName(placed.number());
        Path at = from.directory.file(coming);
        Path path = Path.of(from.file.path());
        if (!from.file.inside()) {
            made.link(placed.number(), path);
        }
        switch (from.file.kind()) {
            case SYMBOLIC_LINK -> {
                Files.createSymbolicLink(at, Path.of(from.file.to()));
                if (User.isRoot()) {
                    Files.setAttribute(at, "unix:uid", placed.uid(), LinkOption.NOFOLLOW_LINKS);
                    Files.setAttribute(at, "unix:gid", placed.gid(), LinkOption.NOFOLLOW_LINKS);
                }
                FileTimes.modified(at, placed.modified(), false);
            }
            case HARD_LINK -> link(from, at);
            default -> {
                from.directory.makeFifo(coming);
                try (HeldFile fifo = HeldFile.hold(at)) {
                    if (fifo.state().kind() != FileState.Kind.FIFO) {
                        throw new IOException("somebody exchanged " + coming);
                    }
                    beLike(fifo.file(), placed);
                }
            }
        }
        if (!from.file.inside()) {
            made.link(placed.number(), path, FileState.ofName(at).orElseThrow());
        }
        bring(placed, from);
    }

    /** To a file that came, which has its place by now. */
    private void link(Coming from, Path at) throws IOException {
        Coming other = coming.get(Integer.valueOf(from.file.to()));
        if (other == null || other.held == null) {
            throw new IOException("the file that it is a link of did not come");
        }
        Files.createLink(at, other.directory.file(other.file.name()));
        if (FileState.ofName(at).filter(other.held.state()::isOf).isEmpty()) {
            throw new IOException("somebody exchanged " + other.file.path());
        }
    }

    /** A directory of the instance, after all that is in it. */
    private static void settle(PlacedFile placed, Coming from) throws IOException {
        try (HeldDirectory directory = from.directory.below(from.file.name())) {
            List<String> names = placed.names();
            if (names != null) {
                Set<String> here = new HashSet<>(directory.names());
                for (String each : names) {
                    if (!here.remove(each)) {
                        throw new IOException(each + " in it did not come");
                    }
                }
                for (String each : here) {
                    directory.removeAll(each);
                }
            }
            beLike(directory.directory(), placed);
        }
    }

    /** Takes all of it back, after the instance. */
    public void remove() throws IOException {
        try {
            if (overlay != null && overlay.inTheWay().isPresent()) {
                overlay.clear(); // be it of one that did not come up: nothing was there before
            }
        } finally {
            made.remove();
        }
    }

    /** The job runs with it: all of it is on the disk when this returns. */
    public void keep() throws IOException {
        made.keep();
    }

    /** Takes back what a receiver that died had made; may be done again. */
    public static void remove(String id, Path spool) throws IOException {
        new MadeFiles(id, spool.resolve(LIST)).remove();
    }

    /** The job runs with what a receiver that died had made. */
    public static void keep(String id, Path spool) throws IOException {
        new MadeFiles(id, spool.resolve(LIST)).keep();
    }

    @Override
    public void close() throws IOException {
        for (Coming each : coming.values()) {
            each.close();
        }
        coming.clear();
    }
}
