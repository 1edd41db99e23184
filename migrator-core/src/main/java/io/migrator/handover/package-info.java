/**
 * Who may run the job: the seal that keeps a frozen source frozen whatever dies, and the states
 * through which the one token of a job moves from source to target (design.md section 3).
 */
@NullMarked
package io.migrator.handover;

import org.jspecify.annotations.NullMarked;
