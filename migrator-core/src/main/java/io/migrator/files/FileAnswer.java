package io.migrator.files;

/**
 * A target's answer to a claim.
 *
 * @param state what is there
 * @param digest of the file that is there, where it has as many bytes and the job only reads it;
 *     else empty
 * @param problem why the file could not be made there; empty if it could
 */
public record FileAnswer(State state, String digest, String problem) {
    /** What a target has at the path of a file. */
    public enum State {
        /** The very same file, of a file system that both nodes have. */
        SAME,
        ABSENT,
        /** Another one. */
        ANOTHER,
        /** A directory in place of a file, or the other way round. */
        OTHER_KIND
    }
}
