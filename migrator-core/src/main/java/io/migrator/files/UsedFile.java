package io.migrator.files;

import io.migrator.linux.FileState;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A file or directory that a job uses under a name.
 *
 * @param path as the job calls it; absolute, without links
 * @param onNode its path on the node; null if only the instance has it, in a layer that ends with
 *     it
 * @param use what the job does with it
 * @param by who does, for messages
 * @param link by which this very file can be reached as long as it is used so
 * @param state as it was when it was seen
 */
public record UsedFile(
        String path, @Nullable Path onNode, Use use, String by, Path link, FileState state) {
    /** What is done with it; of several the later. */
    public enum Use {
        /** A directory that is bound into the instance. */
        BOUND,
        /** One that is open, or the working directory of a process. */
        DIRECTORY,
        READ,
        WRITTEN,
        /** It is written to through a shared mapping, or could be: it is open for both. */
        MAPPABLE;

        boolean isMappable() {
            return this == MAPPABLE;
        }
    }

    /** Who uses what no process of the job has open. */
    static final String INSTANCE = "the instance";

    /** One of the node that the job calls by the same name. */
    public static UsedFile ofInstance(Path path, Use use) throws IOException {
        return new UsedFile(path.toString(), path, use, INSTANCE, path, FileState.of(path));
    }

    /** Whether it is a directory. */
    public boolean directory() {
        return use.compareTo(Use.DIRECTORY) <= 0;
    }

    /** Whether the job may write to it. */
    public boolean written() {
        return use.compareTo(Use.WRITTEN) >= 0;
    }

    /** The same file, used in both ways. */
    UsedFile and(UsedFile other) {
        Use most = use.compareTo(other.use) > 0 ? use : other.use;
        return new UsedFile(path, onNode, most, by, link, other.state);
    }

    /**
     * Whether what was found out of this holds for what is used now: of a file that is only read,
     * that it was not written to since.
     */
    public boolean covers(UsedFile now) {
        return state.isOf(now.state)
                && use.compareTo(now.use) >= 0
                && (written() || directory() || state.changed().equals(now.state.changed()));
    }
}
