package io.migrator.files;

import io.migrator.linux.FileState;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;

/**
 * A file or directory that a target is to make.
 *
 * @param number by which the next messages name it; each once
 * @param inside true if the path is the instance's and not the node's
 * @param path absolute, without links
 * @param directory true if it is a directory, which may be there already
 * @param mode the permissions (chmod(2))
 * @param uid owner, as seen from the node
 * @param gid group
 * @param replaces true if another file of that name may be replaced
 */
public record CarriedFile(
        int number,
        boolean inside,
        String path,
        boolean directory,
        int mode,
        int uid,
        int gid,
        boolean replaces) {
    static final int MODE_BITS = 07777;

    /** Refuses what is no path of a file: it may come from a peer. */
    public CarriedFile {
        if (!isPlain(path) || number < 0 || (mode & ~MODE_BITS) != 0) {
            throw new IllegalArgumentException("not a file to be carried: " + path);
        }
    }

    /**
     * A directory.
     *
     * @param link by which it is reached here
     */
    public static CarriedFile directory(int number, boolean inside, Path path, Path link)
            throws IOException {
        FileState found = FileState.of(link);
        return new CarriedFile(
                number,
                inside,
                path.toString(),
                true,
                found.permissions(),
                found.uid(),
                found.gid(),
                false);
    }

    /** The last part of its path. */
    String name() {
        return Path.of(path).getFileName().toString();
    }

    /** Its directory. */
    Path parent() {
        return Objects.requireNonNull(Path.of(path).getParent());
    }

    /** Whether a path is one that can be carried: others could not be told in a line. */
    public static boolean isPlain(String path) {
        Path normal = Path.of(path).normalize();
        return path.startsWith("/")
                && path.length() > 1
                && normal.toString().equals(path)
                && path.chars().noneMatch(Character::isISOControl);
    }
}
