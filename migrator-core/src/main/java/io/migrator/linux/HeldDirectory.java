package io.migrator.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * A directory held by a descriptor: what is done to files in it by {@link #file} is done in this
 * very directory, whatever its path leads to by then. Owns the descriptor; any thread.
 */
public final class HeldDirectory implements AutoCloseable {
    private static final long AT_FDCWD = -100;

    // open(2), openat2(2)
    private static final long O_DIRECTORY =
            "aarch64".equals(System.getProperty("os.arch")) ? 040000 : 0200000;
    private static final long O_CLOEXEC = 02000000;
    private static final long O_PATH = 010000000;
    private static final long FIFO_OF_OWNER = 010600; // inode(7)
    private static final long NO_MAGIC_LINKS = 2;
    private static final long NO_MOUNTS = 1;
    private static final long NO_SYMLINKS = 4;
    private static final long BENEATH = 8;
    private static final long IN_ROOT = 0x10;
    private static final long HOW_BYTES = 24;

    private final long descriptor;

    private HeldDirectory(long descriptor) {
        this.descriptor = descriptor;
    }

    /**
     * Opens a directory by a path without any symbolic link in it: so nobody can lead elsewhere who
     * may write on the way.
     *
     * @param root from which the path is looked up, and which it cannot leave
     * @param path absolute, as seen from there
     * @throws IOException if it is none, or there is a link
     */
    public static HeldDirectory open(Path root, Path path) throws IOException {
        try (HeldDirectory top = new HeldDirectory(open(AT_FDCWD, root.toString(), 0))) {
            return new HeldDirectory(
                    open(top.descriptor, path.toString(), IN_ROOT | NO_SYMLINKS | NO_MAGIC_LINKS));
        }
    }

    private static long open(long from, String path, long resolve) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment how = arena.allocate(HOW_BYTES, Long.BYTES);
            how.set(ValueLayout.JAVA_LONG, 0, O_PATH | O_DIRECTORY | O_CLOEXEC);
            how.set(ValueLayout.JAVA_LONG, 2L * Long.BYTES, resolve);
            MemorySegment name = arena.allocateFrom(path);
            long result =
                    Syscalls.call(Syscalls.OPENAT2, from, name.address(), how.address(), HOW_BYTES);
            if (result == -Errno.ENOENT) {
                throw new NoSuchFileException(path);
            }
            if (result < 0) {
                throw new IOException(path + ": " + Errno.text((int) -result));
            }
            return result;
        }
    }

    /** A path by which it can be used itself as long as this is open. */
    public Path directory() {
        return Path.of("/proc/self/fd", Long.toString(descriptor));
    }

    /** Writes its names to the disk. */
    public void sync() throws IOException {
        try (FileChannel channel = FileChannel.open(directory(), StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /** Writes all of its file system to the disk (syncfs(2)). */
    public void syncFileSystem() throws IOException {
        try (HeldFile open = HeldFile.open(directory())) {
            long result = Syscalls.call(Syscalls.SYNCFS, open.descriptor());
            if (result < 0) {
                throw new IOException("syncfs: " + Errno.text((int) -result));
            }
        }
    }

    /** Removes what has a name in it, and all that is in that; nothing that is mounted there. */
    public void removeAll(String name) throws IOException {
        Path at = file(name);
        if (Files.isDirectory(at, LinkOption.NOFOLLOW_LINKS)) {
            try (HeldDirectory below = below(name)) {
                for (String each : below.names()) {
                    below.removeAll(each);
                }
            }
        }
        Files.delete(at);
    }

    /** A directory in it; what is a link is none, nor what is mounted there. */
    public HeldDirectory below(String name) throws IOException {
        file(name); // refuses what is no name
        return new HeldDirectory(
                open(descriptor, name, NO_SYMLINKS | NO_MAGIC_LINKS | NO_MOUNTS | BENEATH));
    }

    /** Makes a fifo in it that nobody else may open. */
    public void makeFifo(String name) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = arena.allocateFrom(file(name).toString());
            long result =
                    Syscalls.call(Syscalls.MKNODAT, AT_FDCWD, path.address(), FIFO_OF_OWNER, 0);
            if (result < 0) {
                throw new IOException(name + ": " + Errno.text((int) -result));
            }
        }
    }

    /**
     * What is in it.
     *
     * @throws IOException also if one is no text in the encoding of this JVM: it would lead nowhere
     */
    public List<String> names() throws IOException {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(directory())) {
            for (Path each : all) {
                Path name = each.getFileName();
                if (!isText(name)) {
                    throw new IOException(
                            "%s in %s is no text (LC_ALL=C.UTF-8 might help)"
                                    .formatted(name, directory().toRealPath()));
                }
                names.add(name.toString());
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        names.sort(null);
        return names;
    }

    private static boolean isText(Path name) {
        try {
            return Path.of(name.toString()).equals(name);
        } catch (InvalidPathException e) {
            return false;
        }
    }

    /** A path by which a file in it can be used as long as this is open. */
    public Path file(String name) {
        if (name.isEmpty() || name.contains("/") || name.equals(".") || name.equals("..")) {
            throw new IllegalArgumentException("not the name of a file: " + name);
        }
        return Path.of("/proc/self/fd", Long.toString(descriptor), name);
    }

    @Override
    public void close() {
        Syscalls.call(Syscalls.CLOSE, descriptor);
    }
}
