/**
 * How a failure is told: {@link io.migrator.problem.Problem} says what happened, because of what,
 * where the payload is now, and what to try. The wording is written where the fault is known; only
 * the command line prints it.
 */
@NullMarked
package io.migrator.problem;

import org.jspecify.annotations.NullMarked;
