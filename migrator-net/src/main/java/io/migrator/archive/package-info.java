/**
 * A job in a file: what a target would be sent is written down, and told to one later.
 *
 * <p>In comes: a move whose target is an {@link io.migrator.archive.ArchiveTarget ArchiveTarget}.
 * Out comes: the same move into another target, by {@link io.migrator.archive.ArchiveReader
 * ArchiveReader}, which trusts nothing in the file. {@link io.migrator.archive.ArchiveNode
 * ArchiveNode} answers for a file whose writer is dead, {@link io.migrator.archive.ArchiveShelf
 * ArchiveShelf} keeps several. docs/archive.md is the specification.
 *
 * <p>Callers: the commands {@code checkpoint}, {@code restore}, {@code inspect} and {@code
 * recover}.
 */
@NullMarked
package io.migrator.archive;

import org.jspecify.annotations.NullMarked;
