package io.migrator.migration;

import java.util.List;
import java.util.Objects;

/**
 * What a target says of its part in a migration. It comes from a peer.
 *
 * @param nowNanos the clock of its steps ({@link System#nanoTime}) when this was said
 * @param usage until then
 * @param steps at most {@value Steps#MOST}
 */
public record Account(long nowNanos, Usage usage, List<Steps.Step> steps) {
    /**
     * Takes what a node says.
     *
     * @throws NullPointerException if something is missing
     * @throws IllegalArgumentException if there are too many steps
     */
    public Account {
        Objects.requireNonNull(usage);
        steps = List.copyOf(steps);
        if (steps.size() > Steps.MOST) {
            throw new IllegalArgumentException("a target with too many steps");
        }
    }
}
