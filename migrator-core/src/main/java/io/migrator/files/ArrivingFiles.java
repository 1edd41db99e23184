package io.migrator.files;

import io.migrator.linux.FileState;
import io.migrator.linux.FileSystem;
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
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

    /** A file that comes. */
    private record Coming(
            CarriedFile file, HeldDirectory directory, HeldFile held, FileChannel channel) {}

    private final Map<Integer, Coming> coming = new TreeMap<>();
    private final MadeFiles made;
    private @Nullable Path inside;

    /**
     * None yet.
     *
     * @param id of the migration
     * @param spool directory
     */
    public ArrivingFiles(String id, Path spool) {
        this.made = new MadeFiles(id, spool.resolve(LIST));
    }

    /** The instance is there. */
    public void inside(Path root) {
        inside = root;
    }

    /** Makes directories, and files that are empty. */
    public void make(List<CarriedFile> files) throws Problem {
        for (CarriedFile each : files) {
            try {
                if (each.directory()) {
                    makeDirectory(each);
                } else {
                    makeFile(each);
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

    private void makeDirectory(CarriedFile file) throws IOException {
        try (HeldDirectory parent = parentOf(file)) {
            Path at = parent.file(file.name());
            if (Files.isDirectory(at, LinkOption.NOFOLLOW_LINKS)) {
                return;
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
                own(directory.directory(), file.uid(), file.gid(), file.mode());
            }
        }
    }

    private void makeFile(CarriedFile file) throws IOException {
        Path path = Path.of(file.path());
        HeldDirectory parent = parentOf(file);
        HeldFile held = null;
        try {
            if (coming.containsKey(file.number())) {
                throw new IOException("its number was used before");
            }
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
    private static void own(Path at, int uid, int gid, int mode) throws IOException {
        if (User.isRoot()) {
            Files.setAttribute(at, "unix:uid", uid);
            Files.setAttribute(at, "unix:gid", gid);
        }
        Files.setAttribute(at, "unix:mode", mode);
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
        try {
            long at = offset;
            while (bytes.hasRemaining()) {
                at += to.channel.write(bytes, at);
            }
        } catch (IOException e) {
            throw noRoom(to.file.path(), e);
        }
    }

    /** A file has this length now. */
    public void end(int number, long length) throws Problem {
        Coming to = coming(number);
        try {
            long has = to.channel.size();
            if (has > length) {
                to.channel.truncate(length);
            } else if (has < length) { // what was not sent is a hole
                to.channel.write(ByteBuffer.allocate(1), length - 1);
            }
        } catch (IOException e) {
            throw noRoom(to.file.path(), e);
        }
    }

    /** Brings files to their places, as they are to be; others that came are of no use any more. */
    public void place(List<PlacedFile> files) throws Problem {
        for (PlacedFile each : files) {
            Coming from = coming(each.number());
            try {
                place(each, from);
            } catch (IOException e) {
                throw noRoom(from.file.path(), e);
            }
        }
    }

    private void place(PlacedFile placed, Coming from) throws IOException {
        String coming = made.comingName(placed.number());
        Path at = from.directory.file(coming);
        Optional<FileState> named = FileState.ofName(at);
        FileState state = from.held.state();
        if (named.isEmpty() || !named.get().isOf(state)) {
            throw new IOException("somebody exchanged " + coming);
        }
        if (state.bytes() != placed.bytes()) {
            throw new IOException("it did not arrive whole");
        }
        Path held = from.held.file();
        own(held, placed.uid(), placed.gid(), placed.mode());
        Instant modified = Instant.ofEpochSecond(placed.modifiedSeconds(), placed.modifiedNanos());
        Files.setLastModifiedTime(held, FileTime.from(modified));
        Path place = from.directory.file(from.file.name());
        boolean layered = from.file.inside(); // of which nobody else has anything
        if (!layered && Files.exists(place, LinkOption.NOFOLLOW_LINKS)) {
            if (!from.file.replaces()) {
                throw new FileAlreadyExistsException(from.file.path());
            }
            Path replaced = from.directory.file(made.replacedName(placed.number()));
            Files.move(place, replaced, StandardCopyOption.ATOMIC_MOVE);
        }
        Files.move(at, place, StandardCopyOption.ATOMIC_MOVE);
    }

    /** Takes all of it back. */
    public void remove() throws IOException {
        made.remove();
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
            each.channel.close();
            each.held.close();
            each.directory.close();
        }
        coming.clear();
    }
}
