package io.migrator.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * What the kernel tells of a file (stat(2)).
 *
 * @param device that it is on, as this node numbers it
 * @param inode number
 * @param mode kind and permissions
 * @param uid owner
 * @param gid group
 * @param bytes length
 * @param modified when it was written to
 * @param changed when that or anything else of it changed
 */
public record FileState(
        long device,
        long inode,
        int mode,
        int uid,
        int gid,
        long bytes,
        Instant modified,
        Instant changed) {
    /** What a file can be (inode(7)). */
    public enum Kind {
        FILE(0100000),
        DIRECTORY(0040000),
        SYMBOLIC_LINK(0120000),
        FIFO(0010000),
        SOCKET(0140000),
        /** Of blocks or characters. */
        DEVICE(-1);

        private final int bits;

        Kind(int bits) {
            this.bits = bits;
        }
    }

    private static final int PERMISSIONS = 07777;
    private static final int KIND = 0170000;
    private static final String ALL = "unix:dev,ino,mode,uid,gid,size,lastModifiedTime,ctime";

    /** Asks of a file; a link is followed. */
    public static FileState of(Path file) throws IOException {
        return of(Files.readAttributes(file, ALL));
    }

    /** Asks of what has this name, be it a link; empty if nothing has. */
    public static Optional<FileState> ofName(Path file) throws IOException {
        try {
            return Optional.of(of(Files.readAttributes(file, ALL, LinkOption.NOFOLLOW_LINKS)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    private static FileState of(Map<String, Object> all) {
        return new FileState(
                number(all, "dev"),
                number(all, "ino"),
                (int) number(all, "mode"),
                (int) number(all, "uid"),
                (int) number(all, "gid"),
                number(all, "size"),
                time(all, "lastModifiedTime"),
                time(all, "ctime"));
    }

    private static long number(Map<String, Object> all, String name) {
        return ((Number) Objects.requireNonNull(all.get(name))).longValue();
    }

    private static Instant time(Map<String, Object> all, String name) {
        return ((FileTime) Objects.requireNonNull(all.get(name))).toInstant();
    }

    /** Whether it is a plain file. */
    public boolean isRegular() {
        return kind() == Kind.FILE;
    }

    /** What it is. */
    public Kind kind() {
        for (Kind each : Kind.values()) {
            if (each.bits == (mode & KIND)) {
                return each;
            }
        }
        return Kind.DEVICE;
    }

    /** Its permissions alone (chmod(2)). */
    public int permissions() {
        return mode & PERMISSIONS;
    }

    /** Whether both are of the same file, be it written to in between. */
    public boolean isOf(FileState other) {
        return device == other.device && inode == other.inode;
    }
}
