package io.migrator.migration;

import io.migrator.linux.Scheduling;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;

/**
 * A piece of work on a thread of its own, whose failure is told to who waits for it. Used by one
 * other thread.
 */
final class Background {
    /** What is done. */
    @FunctionalInterface
    interface Work {
        /** Does it. */
        void run() throws Problem, InterruptedException, IOException;
    }

    private final Thread thread;
    private final CountDownLatch wanted = new CountDownLatch(1);
    private final Work work;
    private @Nullable Throwable failure;

    private Background(String name, Work work) {
        this.work = work;
        this.thread = Thread.ofPlatform().daemon().name(name).unstarted(this::run);
    }

    /** Begins it. */
    static Background start(String name, Work work) {
        Background begun = ready(name, work);
        begun.go();
        return begun;
    }

    /** Gets ready to begin it: the thread is there and waits, which costs nothing in a freeze. */
    static Background ready(String name, Work work) {
        Background waiting = new Background(name, work);
        waiting.thread.start();
        return waiting;
    }

    /** The same, of work that is not to take the processor from criu. */
    static Background aside(String name, Work work) {
        return ready(
                name,
                () -> {
                    Scheduling.lastOfAll();
                    work.run();
                });
    }

    /** Begins it, if it has not begun. */
    void go() {
        wanted.countDown();
    }

    private void run() {
        try {
            wanted.await();
            work.run();
        } catch (Throwable e) { // an error, too: work that was not done must not count as done
            failure = e; // seen by who has joined
        }
    }

    /** Whether it has come to its end, well or not. */
    boolean hasEnded() {
        return !thread.isAlive();
    }

    /**
     * Waits for its end.
     *
     * @param what failed, if it did
     * @throws Problem if it did
     */
    void await(String what) throws Problem, InterruptedException {
        thread.join();
        Throwable found = failure;
        if (found instanceof Problem problem) {
            throw problem;
        }
        if (found != null) {
            throw Problem.failed(what).because(found.toString());
        }
    }

    /** Waits for its end a while before that. */
    void stop(Duration patience) {
        try {
            if (wanted.getCount() == 0) {
                thread.join(patience);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        stop();
    }

    /** Interrupts it and waits for its end, also as an interrupted thread, which it stays. */
    void stop() {
        thread.interrupt();
        boolean interrupted = Thread.interrupted();
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
