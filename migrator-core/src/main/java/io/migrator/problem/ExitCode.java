package io.migrator.problem;

/** The exit codes of the command line, docs/exit-codes.md. The only place where they are mapped. */
public enum ExitCode {
    /** Done. */
    DONE(0),
    /** Failed; the payload runs where it was. */
    FAILED(1),
    /** The command line was wrong; nothing was touched. */
    USAGE(2),
    /** Refused by a check, before anything was frozen. */
    REFUSED(3),
    /** Undecided: the payload stands still; run {@code migrator recover}. */
    UNDECIDED(4),
    /** The payload is lost. */
    LOST(5);

    private final int code;

    ExitCode(int code) {
        this.code = code;
    }

    /** Returns the process exit status, 0 to 5. */
    public int code() {
        return code;
    }
}
