package io.migrator.migration;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;

/**
 * Reversals of what was done to the world: pushed beside each step, run newest first by {@link
 * #close} unless {@link #commit} came before. Undoes resources (processes, mounts, files, tables),
 * never ownership of the job: that is the hand-over's alone. One thread.
 */
public final class Undo implements AutoCloseable {
    /** One reversal. */
    @FunctionalInterface
    public interface Step {
        /** Reverses; a failure is reported and the next reversal runs all the same. */
        void run() throws Exception;
    }

    private record Named(String name, Step step, boolean ifWell) {}

    private final Deque<Named> steps = new ArrayDeque<>();
    private final Consumer<String> report;
    private boolean failed;

    /**
     * An empty list.
     *
     * @param report told of each reversal that failed
     */
    public Undo(Consumer<String> report) {
        this.report = report;
    }

    /** Adds a reversal of what was just done. */
    public void push(String name, Step step) {
        steps.push(new Named(name, step, false));
    }

    /**
     * Adds one that is only to be run if all those before it went well: it removes what tells
     * {@code migrator recover} that something is left.
     */
    public void pushIfWell(String name, Step step) {
        steps.push(new Named(name, step, true));
    }

    /** True if a reversal has failed, so that something is left. */
    public boolean failed() {
        return failed;
    }

    /** Forgets all reversals: what was done stays. */
    public void commit() {
        steps.clear();
    }

    /** Runs what remains, also when the thread was interrupted; the interrupt is kept. */
    @Override
    public void close() {
        boolean interrupted = Thread.interrupted();
        while (!steps.isEmpty()) {
            Named next = steps.pop();
            if (next.ifWell && failed) {
                report.accept(next.name + " is left to migrator recover");
                continue;
            }
            try {
                next.step.run();
            } catch (InterruptedException e) {
                interrupted = true;
                failed(next.name + " was interrupted");
            } catch (Exception e) {
                failed(next.name + ": " + e.getMessage());
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void failed(String what) {
        failed = true;
        report.accept(what);
    }
}
