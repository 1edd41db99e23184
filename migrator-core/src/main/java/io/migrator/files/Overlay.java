package io.migrator.files;

import io.migrator.instance.Instance;
import io.migrator.instance.Instances;
import io.migrator.linux.FileState;
import io.migrator.linux.HeldDirectory;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What Apptainer's option {@code --overlay} names that can be written to: a directory with the
 * upper layer of the instance's root, or an image of such.
 *
 * @param path on the node
 */
public record Overlay(Path path) {
    private static final String OPTION = "--overlay";
    private static final String READ_ONLY = ":ro";
    private static final String UPPER = "upper";
    private static final String WORK = "work";

    /** The one of an instance that was started so; Apptainer lets it have one at the most. */
    public static Optional<Overlay> of(List<String> arguments) {
        for (int i = 0; i + 1 < arguments.size(); i++) {
            if (arguments.get(i).equals(OPTION) && !arguments.get(i + 1).endsWith(READ_ONLY)) {
                return Optional.of(new Overlay(Path.of(arguments.get(i + 1)).normalize()));
            }
        }
        return Optional.empty();
    }

    /** Whether it is a directory here, and no link leads to it. */
    public boolean isDirectory() {
        try {
            return path.isAbsolute() && Files.isDirectory(path) && path.toRealPath().equals(path);
        } catch (IOException e) {
            return false;
        }
    }

    /** Where Apptainer keeps what the instance has changed of its root. */
    public Path upper() {
        return path.resolve(UPPER);
    }

    /** What an instance would find there. */
    Optional<Path> inTheWay() {
        return Stream.of(upper(), path.resolve(WORK))
                .filter(each -> Files.exists(each, LinkOption.NOFOLLOW_LINKS))
                .findFirst();
    }

    /** Removes what an instance has left in it, if it is still that of then. */
    void clear(long device, long inode) throws IOException {
        Optional<FileState> now = FileState.ofName(upper());
        if (now.isPresent() && now.get().device() == device && now.get().inode() == inode) {
            clear();
        }
    }

    /** Removes what an instance has left in it; not while one has it. */
    void clear() throws IOException {
        try {
            for (Instance each : Instances.ofThisUser().running()) {
                if (of(each.start().arguments()).filter(this::equals).isPresent()) {
                    throw new IOException("'%s' has %s".formatted(each.name(), path));
                }
            }
        } catch (Problem e) {
            throw new IOException(e.getMessage(), e);
        }
        try (HeldDirectory directory = HeldDirectory.open(Path.of("/"), path)) {
            for (String name : List.of(UPPER, WORK)) {
                if (Files.exists(directory.file(name), LinkOption.NOFOLLOW_LINKS)) {
                    directory.removeAll(name);
                }
            }
        }
    }

    /** Writes all of it to the disk. */
    void sync() throws IOException {
        try (HeldDirectory directory = HeldDirectory.open(Path.of("/"), path)) {
            directory.syncFileSystem();
        }
    }
}
