/**
 * Files of the job that are not the same file on both nodes. So far only the run directory of
 * {@code migrator run} is carried.
 */
@NullMarked
package io.migrator.files;

import org.jspecify.annotations.NullMarked;
