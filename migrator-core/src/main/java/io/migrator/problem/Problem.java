package io.migrator.problem;

import org.jspecify.annotations.Nullable;

/**
 * A failure told to a person: what happened, because of what, where the payload is now, what to
 * try. Texts are lower case, without a full stop. A problem is filled in by the methods below where
 * each part is known and then thrown; later layers may add the parts they know ({@link #payload}).
 *
 * <p>Not thread-safe; belongs to the thread that throws it.
 */
public final class Problem extends Exception {
    private static final long serialVersionUID = 1L;

    private final ExitCode exitCode;
    private final String what;
    private String because = "";
    private String payload = "";
    private String tryThis = "";
    private boolean passing;

    private Problem(ExitCode exitCode, String what) {
        super(PlainText.of(what));
        this.exitCode = exitCode;
        this.what = PlainText.of(what);
    }

    /** The operation failed; the payload runs where it was (exit 1). */
    public static Problem failed(String what) {
        return new Problem(ExitCode.FAILED, what);
    }

    /** The command line or an argument was wrong (exit 2). */
    public static Problem usage(String what) {
        return new Problem(ExitCode.USAGE, what);
    }

    /** A check refused before anything was frozen (exit 3). */
    public static Problem refused(String what) {
        return new Problem(ExitCode.REFUSED, what);
    }

    /** Nobody can tell who may run the payload: it stands still (exit 4). */
    public static Problem undecided(String what) {
        return new Problem(ExitCode.UNDECIDED, what);
    }

    /** The payload is gone (exit 5). */
    public static Problem lost(String what) {
        return new Problem(ExitCode.LOST, what);
    }

    /** A problem with every part given, as it came over the wire. */
    public static Problem of(ExitCode exitCode, String what, String because, String tryThis) {
        return new Problem(exitCode, what).because(because).tryThis(tryThis);
    }

    /** Sets the cause in words. */
    public Problem because(@Nullable String because) {
        this.because = because == null ? "" : PlainText.of(because);
        return this;
    }

    /** Sets where the payload is now and in what state. */
    public Problem payload(String payload) {
        this.payload = PlainText.of(payload);
        return this;
    }

    /** Sets the advice: what the person may do next. */
    public Problem tryThis(String tryThis) {
        this.tryThis = PlainText.of(tryThis);
        return this;
    }

    /** Keeps the exception behind it for {@code --debug}. */
    public Problem causedBy(Throwable cause) {
        if (getCause() == null) {
            initCause(cause);
        }
        return this;
    }

    /** What made it fail passes by itself: the same, tried once more, may go well. */
    public Problem passing() {
        passing = true;
        return tryThis("try again");
    }

    /** Whether it is {@link #passing}; the payload runs as before then. */
    public boolean passes() {
        return passing;
    }

    public ExitCode exitCode() {
        return exitCode;
    }

    public String what() {
        return what;
    }

    public String because() {
        return because;
    }

    public String payload() {
        return payload;
    }

    public String tryThis() {
        return tryThis;
    }

    @Override
    public String getMessage() {
        return because.isEmpty() ? what : what + ": " + because;
    }
}
