/**
 * The migration itself: {@link io.migrator.migration.Migration} tells the story from check to
 * clean; {@link io.migrator.migration.Feasibility} is its check, of one target or of many; {@link
 * io.migrator.migration.Target} is the one seam to the far side; {@link
 * io.migrator.migration.LocalTarget} is that far side on this node; {@link
 * io.migrator.migration.Undo} reverses what was done to the world when a step fails.
 */
@NullMarked
package io.migrator.migration;

import org.jspecify.annotations.NullMarked;
