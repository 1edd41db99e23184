package io.migrator.files;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;

/**
 * A file or directory that a job uses under a name: one that is open, mapped, or the working
 * directory of a process, or is bound into the instance.
 *
 * @param path as the job calls it; absolute, without links
 * @param onNode its path on the node; null if only the instance has it, in a layer that ends with
 *     it
 * @param directory true if it is a directory
 * @param written true if the job may write to it
 * @param mapped true if the job may do so through a shared mapping
 * @param by who uses it, for messages
 * @param link by which this very file can be reached as long as it is used
 */
public record UsedFile(
        String path,
        @Nullable Path onNode,
        boolean directory,
        boolean written,
        boolean mapped,
        String by,
        Path link) {

    /** The same file, used in both ways. */
    UsedFile and(UsedFile other) {
        return new UsedFile(
                path,
                onNode,
                directory,
                written || other.written,
                mapped || other.mapped,
                by,
                link);
    }
}
