package io.migrator.files;

/**
 * What a user wants to become of files that the job uses.
 *
 * @param way what is done with those that the target has not
 * @param overwrites whether other files on the target may be overwritten
 */
public record FileWish(Way way, boolean overwrites) {
    /** What is done with files that the target has not. */
    public enum Way {
        /** They go along. */
        AUTO,
        /** None is: the job is refused if one is missing. */
        SHARED
    }

    /** As it is without being asked. */
    public static final FileWish AUTO = new FileWish(Way.AUTO, false);
}
