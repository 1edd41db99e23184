/**
 * The job's memory on its way to the target. While the job runs {@link io.migrator.memory.PreCopy}
 * sends it in rounds, and {@link io.migrator.memory.StopRule} says when to freeze; a {@link
 * io.migrator.memory.WriteTracker} tells what was written. Of the frozen job {@link
 * io.migrator.memory.ImageFeed} sends criu's images, and {@link io.migrator.memory.PageFeed} the
 * pages of {@link io.migrator.memory.HiddenPages} that are not over yet. On the target {@link
 * io.migrator.memory.KeptPages} has them kept until there are processes.
 */
@NullMarked
package io.migrator.memory;

import org.jspecify.annotations.NullMarked;
