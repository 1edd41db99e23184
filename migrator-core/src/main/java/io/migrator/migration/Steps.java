package io.migrator.migration;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** When what was done on this node, for a time line. Any threads. */
public final class Steps {
    /** A job with thousands of files asks for them in many messages: a picture shows fewer. */
    static final int MOST = 500;

    private final List<Step> steps = new ArrayList<>();

    /**
     * One of them.
     *
     * @param name what was done, in a word or two
     * @param fromNanos of the node's {@link System#nanoTime}
     * @param toNanos not before that
     */
    public record Step(String name, long fromNanos, long toNanos) {
        /**
         * Takes what was noted, also in the freeze: an {@link Account} looks at its name.
         *
         * @throws NullPointerException if it has no name
         * @throws IllegalArgumentException if it ends before it begins
         */
        public Step {
            Objects.requireNonNull(name);
            if (toNanos - fromNanos < 0) {
                throw new IllegalArgumentException("a step that ends before it begins");
            }
        }
    }

    /** A step that has begun; closing it ends it. */
    public interface Begun extends AutoCloseable {
        @Override
        void close();
    }

    /** Begins one. */
    public Begun begin(String name) {
        long from = System.nanoTime();
        return () -> add(name, from, System.nanoTime());
    }

    /** The same work, which is noted as a step when it is done. */
    Background.Work noting(String name, Background.Work work) {
        return () -> {
            try (Begun _ = begin(name)) {
                work.run();
            }
        };
    }

    /** Notes one that is over; beyond {@value #MOST} none. */
    synchronized void add(String name, long fromNanos, long toNanos) {
        if (steps.size() < MOST) {
            steps.add(new Step(name, fromNanos, toNanos));
        }
    }

    /** Those that are over, in the order of their ends. */
    public synchronized List<Step> all() {
        return List.copyOf(steps);
    }
}
