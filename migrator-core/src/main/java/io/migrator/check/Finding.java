package io.migrator.check;

/**
 * What a check found.
 *
 * @param forbids true if the job must not go; false for a warning
 * @param check short name, as {@code --allow} takes it
 * @param what is found, naming process and resource
 * @param because what would happen, in criu's words where they are known
 * @param tryThis the remedy
 */
public record Finding(boolean forbids, String check, String what, String because, String tryThis) {
    /** A finding that forbids the migration. */
    public static Finding forbidden(String check, String what, String because, String tryThis) {
        return new Finding(true, check, what, because, tryThis);
    }

    /** A finding that the user should know of. */
    public static Finding warning(String check, String what, String because, String tryThis) {
        return new Finding(false, check, what, because, tryThis);
    }
}
