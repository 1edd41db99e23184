package io.migrator.cli;

import io.migrator.problem.PlainText;

/**
 * Where all text for a person is printed. Names of files and programs, and texts of other nodes,
 * can be in it: none of them steers the terminal, and none begins a line that looks like one of
 * ours.
 */
final class Terminal {
    private static final String CONTINUED = "\n         ";

    private Terminal() {}

    /** Prints a result. */
    static void out(String text) {
        System.out.println(plain(text));
    }

    /** Says something of what is done. */
    static void err(String text) {
        System.err.println(plain(text));
    }

    /** Says it in place of what {@link #over} said before, in the same line of a terminal. */
    static void over(String text) {
        System.err.print("\r\u001b[K" + plain(text));
    }

    /** As it may be printed: lines behind the first are set in. */
    static String plain(String text) {
        return PlainText.of(text).replace("\n", CONTINUED);
    }
}
