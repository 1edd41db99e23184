/**
 * Faults on purpose, for the lab's tests of the hand-over: {@link io.migrator.fault.FaultPoint}
 * names every step at which something may go wrong, the product calls it there, and what happens is
 * armed by the environment variable MIGRATOR_FAULT. It is honoured on a node of the lab only;
 * anywhere else the variable is not even read.
 */
@NullMarked
package io.migrator.fault;

import org.jspecify.annotations.NullMarked;
