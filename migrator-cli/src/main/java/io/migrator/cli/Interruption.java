package io.migrator.cli;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.CountDownLatch;

/**
 * What Ctrl-C, SIGTERM and a closed terminal do while a job is on its way: ask the command to stop,
 * wait until it has undone what it did and has said so, and end with its exit code. A command that
 * registered nothing just ends.
 */
public final class Interruption {
    private static final Interruption CURRENT = new Interruption();

    private final CountDownLatch finished = new CountDownLatch(1);
    private @Nullable Runnable cancel;
    private boolean asked;
    private int exitCode;

    private Interruption() {
        Runtime.getRuntime().addShutdownHook(new Thread(this::hook, "interruption"));
    }

    /** From here until the command has ended, a signal calls this; at once if one came before. */
    public static void calls(Runnable cancel) {
        boolean already;
        synchronized (CURRENT) {
            CURRENT.cancel = cancel;
            already = CURRENT.asked;
        }
        if (already) {
            cancel.run();
        }
    }

    /** Ends the JVM with the command's exit code. */
    static void exit(int code) {
        synchronized (CURRENT) {
            CURRENT.exitCode = code;
        }
        CURRENT.finished.countDown();
        System.exit(code);
    }

    private void hook() {
        Runnable action;
        synchronized (this) {
            action = cancel;
            asked = true;
        }
        if (action == null || finished.getCount() == 0) {
            return;
        }
        action.run();
        try {
            finished.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Runtime.getRuntime().halt(exitCode);
    }
}
