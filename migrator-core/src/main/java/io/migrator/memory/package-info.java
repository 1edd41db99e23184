/**
 * The job's memory on its way to the target. So far {@link io.migrator.memory.ImageFeed}: criu's
 * own page images, sent while criu is still writing them.
 */
@NullMarked
package io.migrator.memory;

import org.jspecify.annotations.NullMarked;
