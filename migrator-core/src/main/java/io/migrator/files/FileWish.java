package io.migrator.files;

/**
 * What a user wants to become of files that the job uses.
 *
 * @param way what is done with those that the target has not
 * @param overwrites whether other files on the target may be overwritten
 * @param rules for single paths
 */
public record FileWish(Way way, boolean overwrites, FileRules rules) {
    /** What is done with files that the target has not. */
    public enum Way {
        /** Those in use go along. */
        AUTO,
        /** None does: the job is refused if one is missing. */
        SHARED,
        /** All goes along that is in the job's own directories, too. */
        CARRY
    }

    /** As it is without being asked. */
    public static final FileWish AUTO = new FileWish(Way.AUTO, false, FileRules.NONE);
}
