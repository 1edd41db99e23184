package io.migrator.files;

/**
 * A carried file as it is to be when the job is restored.
 *
 * @param number of the {@link CarriedFile}
 * @param mode the permissions
 * @param uid owner
 * @param gid group
 * @param modifiedSeconds when it was written to last, since 1970
 * @param modifiedNanos of that second
 * @param bytes length
 */
public record PlacedFile(
        int number,
        int mode,
        int uid,
        int gid,
        long modifiedSeconds,
        int modifiedNanos,
        long bytes) {}
