package io.migrator.check;

/**
 * What becomes of a file in a migration.
 *
 * @param path as the job calls it
 * @param what in one word: {@code shared}, {@code carried}, {@code refused}
 * @param bytes that would be carried
 */
public record Fate(String path, String what, long bytes) {}
