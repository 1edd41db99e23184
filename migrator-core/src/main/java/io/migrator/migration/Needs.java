package io.migrator.migration;

import io.migrator.instance.ProcessTree;

/**
 * What a job needs of a node's memory.
 *
 * @param spoolBytes in /dev/shm, for images, on both nodes
 * @param memoryBytes on the target, those among them
 */
public record Needs(long spoolBytes, long memoryBytes) {
    /** Beside the job's own memory: criu's small images, the new instance, the receiver. */
    private static final long MARGIN_BYTES = 256L << 20;

    static Needs of(ProcessTree tree) {
        long spoolBytes = tree.imageBytes() + MARGIN_BYTES;
        // images and what is restored from them lie side by side for a moment
        return new Needs(spoolBytes, tree.residentBytes() + spoolBytes);
    }
}
