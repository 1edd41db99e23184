package io.migrator.files;

import io.migrator.linux.ExtendedAttributes;
import io.migrator.linux.FileState;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;

/**
 * A file or directory that a target is to make.
 *
 * <p>Of what an instance has in a layer its directories are told of, too, that the target has: then
 * they get the same names in them as here.
 *
 * @param number by which the next messages name it; each once
 * @param inside true if the path is the instance's and not the node's
 * @param path absolute, without links
 * @param kind what it is; a directory may be there already
 * @param to of a symbolic link its text, of a hard link the number of the file; else empty
 * @param mode the permissions (chmod(2))
 * @param uid owner, as seen from the node
 * @param gid group
 * @param replaces true if another file of that name may be replaced
 */
public record CarriedFile(
        int number,
        boolean inside,
        String path,
        Kind kind,
        String to,
        int mode,
        int uid,
        int gid,
        boolean replaces) {
    /** What can be carried. */
    public enum Kind {
        FILE,
        DIRECTORY,
        SYMBOLIC_LINK,
        HARD_LINK,
        FIFO;

        /** Whether it is made when the job stands still, as there is nothing to send. */
        boolean isMadeLast() {
            return compareTo(SYMBOLIC_LINK) >= 0;
        }
    }

    static final int MODE_BITS = 07777;

    /** PATH_MAX. */
    private static final int MOST_OF_A_PATH = 4095;

    /** Refuses what is no path of a file: it may come from a peer. */
    public CarriedFile {
        boolean leads =
                switch (kind) {
                    case SYMBOLIC_LINK -> isText(to);
                    case HARD_LINK -> to.matches("[0-9]{1,9}");
                    default -> to.isEmpty();
                };
        if (!leads || !isPlain(path) || number < 0 || (mode & ~MODE_BITS) != 0) {
            throw new IllegalArgumentException("not a file to be carried: " + path);
        }
    }

    /** Whether a symbolic link can have this text. */
    static boolean isText(String to) {
        return !to.isEmpty()
                && to.length() <= MOST_OF_A_PATH
                && to.chars().noneMatch(Character::isISOControl);
    }

    /**
     * A directory.
     *
     * @param link by which it is reached here
     */
    public static CarriedFile directory(int number, boolean inside, Path path, Path link)
            throws IOException {
        if (!inside && ExtendedAttributes.hasAccessList(link)) { // what comes later has them
            throw new IOException(path + " has an access control list");
        }
        FileState found = FileState.of(link);
        return new CarriedFile(
                number,
                inside,
                path.toString(),
                Kind.DIRECTORY,
                "",
                found.permissions(),
                found.uid(),
                found.gid(),
                false);
    }

    /** The same, but another file of that name may be replaced. */
    public CarriedFile replacing() {
        return new CarriedFile(number, inside, path, kind, to, mode, uid, gid, true);
    }

    /** Whether it is a directory. */
    public boolean directory() {
        return kind == Kind.DIRECTORY;
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
