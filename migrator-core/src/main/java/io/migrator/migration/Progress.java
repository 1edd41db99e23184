package io.migrator.migration;

import io.migrator.memory.Round;

/**
 * Told how a migration gets on. Called by the migration's threads, often; must return at once and
 * never throw.
 */
public interface Progress {
    /** A stage begins. */
    void stage(Stage stage);

    /**
     * Bytes of the job's memory are over.
     *
     * @param sentBytes so far
     * @param totalBytes expected; an estimate
     */
    void sent(long sentBytes, long totalBytes);

    /**
     * A pre-copy round is done.
     *
     * @param number from 1
     */
    default void round(int number, Round round) {}

    /** What was chosen for the user, and why. */
    default void chosen(String text) {}

    /** Something that the user should know but that stops nothing. */
    void warning(String text);
}
