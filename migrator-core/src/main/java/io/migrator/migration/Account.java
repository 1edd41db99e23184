package io.migrator.migration;

import io.migrator.problem.PlainText;

import java.util.List;
import java.util.Objects;

/**
 * What a target says of its part in a migration. It comes from a peer: no name in it steers a
 * terminal.
 *
 * @param nowNanos the clock of its steps ({@link System#nanoTime}) when this was said
 * @param usage until then
 * @param steps at most {@value Steps#MOST}
 */
public record Account(long nowNanos, Usage usage, List<Steps.Step> steps) {
    private static final int MOST_OF_NAME = 64;

    /**
     * Takes what a node says.
     *
     * @throws NullPointerException if something is missing
     * @throws IllegalArgumentException if there are too many steps
     */
    public Account {
        Objects.requireNonNull(usage);
        steps = steps.stream().map(Account::plain).toList();
        if (steps.size() > Steps.MOST) {
            throw new IllegalArgumentException("a target with too many steps");
        }
    }

    private static Steps.Step plain(Steps.Step step) {
        String name = PlainText.line(step.name(), MOST_OF_NAME);
        return new Steps.Step(name, step.fromNanos(), step.toNanos());
    }
}
