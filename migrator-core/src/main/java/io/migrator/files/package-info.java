/**
 * Files of a job that are not the same file on both nodes: found ({@link
 * io.migrator.files.UsedFiles}), asked for ({@link io.migrator.files.FileClaim}), sent ({@link
 * io.migrator.files.LeavingFiles}) and made ({@link io.migrator.files.ArrivingFiles}).
 */
@NullMarked
package io.migrator.files;

import org.jspecify.annotations.NullMarked;
