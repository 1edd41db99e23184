package io.migrator.files;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;

import io.migrator.linux.ExtendedAttributes;
import io.migrator.linux.FileState;
import io.migrator.linux.User;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/**
 * A carried file as it is to be when the job is restored.
 *
 * @param number of the {@link CarriedFile}
 * @param mode the permissions
 * @param uid owner
 * @param gid group
 * @param modifiedSeconds when it was written to last, since 1970
 * @param modifiedNanos of that second
 * @param bytes length; 0 of what is no plain file
 * @param attributes extended ones, in base64 by name
 * @param names all that a directory of the instance is to have in it; null if that is not told
 */
public record PlacedFile(
        int number,
        int mode,
        int uid,
        int gid,
        long modifiedSeconds,
        int modifiedNanos,
        long bytes,
        Map<String, String> attributes,
        @JsonSetter(nulls = Nulls.SET, contentNulls = Nulls.FAIL) @Nullable List<String> names) {
    private static final long MOST_SECONDS = 1L << 40;
    private static final int NANOS = 1_000_000_000;

    /** Refuses what no file has: it may come from a peer. */
    public PlacedFile {
        boolean time =
                Math.abs(modifiedSeconds) < MOST_SECONDS
                        && modifiedNanos >= 0
                        && modifiedNanos < NANOS;
        boolean known = attributes.keySet().stream().allMatch(ExtendedAttributes::isCarried);
        if (!time || !known || bytes < 0 || (mode & ~CarriedFile.MODE_BITS) != 0) {
            throw new IllegalArgumentException("not how a file can be");
        }
        attributes.values().forEach(Base64.getDecoder()::decode);
    }

    Instant modified() {
        return Instant.ofEpochSecond(modifiedSeconds, modifiedNanos);
    }

    /** An empty one of this user. */
    static PlacedFile ofNothing(int number) throws IOException {
        return new PlacedFile(number, 0600, User.id(), 0, 0, 0, 0, Map.of(), null);
    }

    /** One that is as it was seen here. */
    static PlacedFile of(
            int number,
            FileState state,
            long bytes,
            Map<String, String> attributes,
            @Nullable List<String> names) {
        return new PlacedFile(
                number,
                state.permissions(),
                state.uid(),
                state.gid(),
                state.modified().getEpochSecond(),
                state.modified().getNano(),
                bytes,
                attributes,
                names);
    }
}
