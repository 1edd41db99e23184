/**
 * The first stage, find: Apptainer's record of an instance ({@link
 * io.migrator.instance.Instances}), the appinit behind it, and every process in its pid namespace
 * ({@link io.migrator.instance.ProcessTree}); and the start of instances, empty on a target or with
 * a payload that migrates best. The record is written by the user and believed only where the
 * kernel confirms it.
 */
@NullMarked
package io.migrator.instance;

import org.jspecify.annotations.NullMarked;
