package io.migrator.files;

import io.migrator.files.CarriedFile.Kind;
import io.migrator.linux.FileState;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What is in a tree that goes along and is no plain file; all of it is told, but for directories of
 * the node, which are told of before.
 *
 * @param path as the job calls it
 * @param onNode its path on the node; null if it is in a layer of the instance
 * @param kind what it is
 * @param to the text of a symbolic link, else empty
 * @param state as it was seen
 * @param attributes extended ones, see {@link PlacedFile}
 * @param names what is in a directory of a layer, null of others
 */
public record TreeEntry(
        String path,
        @Nullable Path onNode,
        Kind kind,
        String to,
        FileState state,
        Map<String, String> attributes,
        @Nullable List<String> names) {
    /** Where the target has it. */
    CarriedFile carried(int number, boolean replaces) {
        return new CarriedFile(
                number,
                onNode == null,
                onNode == null ? path : onNode.toString(),
                kind,
                to,
                state.permissions(),
                state.uid(),
                state.gid(),
                replaces);
    }

    PlacedFile placed(int number) {
        return PlacedFile.of(number, state, 0, attributes, names);
    }

    /** Whether what was announced of another holds for this. */
    boolean isAs(TreeEntry other) {
        return kind == other.kind && to.equals(other.to);
    }
}
