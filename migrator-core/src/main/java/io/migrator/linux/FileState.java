package io.migrator.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;

/**
 * What the kernel tells of a file (stat(2)).
 *
 * @param inode number
 * @param mode kind and permissions
 * @param uid owner
 * @param gid group
 * @param bytes length
 * @param modified when it was written to
 * @param changed when that or anything else of it changed
 */
public record FileState(
        long inode, int mode, int uid, int gid, long bytes, Instant modified, Instant changed) {
    private static final int PERMISSIONS = 07777;

    /** Asks of a file; a link is followed. */
    public static FileState of(Path file) throws IOException {
        Map<String, Object> all =
                Files.readAttributes(file, "unix:ino,mode,uid,gid,size,lastModifiedTime,ctime");
        return new FileState(
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

    /** Its permissions alone (chmod(2)). */
    public int permissions() {
        return mode & PERMISSIONS;
    }
}
