package io.migrator.migration;

import io.migrator.files.FileClaim;
import io.migrator.linux.Clocks;

import java.util.List;

/**
 * A job that no node runs, as it was when it stood still.
 *
 * @param survey what it needs of a node; the image has its digest
 * @param order by which it was copied
 * @param stayed files and directories that it uses and that were not copied
 * @param clocks of the node it was on, not earlier than when it stood still
 */
public record Kept(Survey survey, Order order, List<FileClaim> stayed, Clocks clocks) {
    /** What comes from a file may lack a part. */
    public Kept {
        if (survey == null || order == null || clocks == null) {
            throw new IllegalArgumentException("a part of the job's description is missing");
        }
        stayed = List.copyOf(stayed);
    }
}
