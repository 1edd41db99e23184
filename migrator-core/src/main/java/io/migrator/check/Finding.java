package io.migrator.check;

import io.migrator.problem.PlainText;

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
    /** Its texts quote peers and jobs. */
    private static final int MOST_CHARACTERS = 8192;

    private static final int MOST_OF_NAME = 64;

    /**
     * Nothing in it steers a terminal, and each text is one line of no more than 8192 characters.
     */
    public Finding {
        check = PlainText.line(check, MOST_OF_NAME);
        what = PlainText.line(what, MOST_CHARACTERS);
        because = PlainText.line(because, MOST_CHARACTERS);
        tryThis = PlainText.line(tryThis, MOST_CHARACTERS);
    }

    /** A finding that forbids the migration. */
    public static Finding forbidden(String check, String what, String because, String tryThis) {
        return new Finding(true, check, what, because, tryThis);
    }

    /** A finding that the user should know of. */
    public static Finding warning(String check, String what, String because, String tryThis) {
        return new Finding(false, check, what, because, tryThis);
    }
}
