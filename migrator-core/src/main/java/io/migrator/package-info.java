/**
 * Migrator moves a running Apptainer instance from one node to another while its programs, their
 * memory and their TCP connections live on. The packages are the stages of a move, in order:
 *
 * <ol>
 *   <li>{@code instance}: find the instance and every process of it.
 *   <li>{@code check}: look for everything that could fail, on both nodes, before anything stops.
 *   <li>{@code memory}: copy memory while the programs run.
 *   <li>{@code criu}: freeze them, dump the rest, and restore it.
 *   <li>{@code files}, {@code network}: open files and connections.
 *   <li>{@code handover}: the one token that says which node may run the job.
 *   <li>{@code migration}: the story that calls all of these.
 * </ol>
 *
 * <p>Below them lie {@code linux} (system calls and other programs) and {@code problem} (what a
 * user is told). Above them are {@code wire}, {@code ssh} and {@code remote}, which reach the other
 * node, and {@code cli}, which a person types.
 */
@NullMarked
package io.migrator;

import org.jspecify.annotations.NullMarked;
