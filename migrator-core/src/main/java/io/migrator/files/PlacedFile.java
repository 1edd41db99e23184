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
        long bytes) {
    private static final long MOST_SECONDS = 1L << 40;
    private static final int NANOS = 1_000_000_000;

    /** Refuses what no file has: it may come from a peer. */
    public PlacedFile {
        boolean time =
                Math.abs(modifiedSeconds) < MOST_SECONDS
                        && modifiedNanos >= 0
                        && modifiedNanos < NANOS;
        if (!time || bytes < 0 || (mode & ~CarriedFile.MODE_BITS) != 0) {
            throw new IllegalArgumentException("not how a file can be");
        }
    }
}
