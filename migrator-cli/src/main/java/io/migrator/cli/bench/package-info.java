/**
 * The timing harness: {@code migrator bench}. Each subcommand runs what it measures and its
 * baseline in turn, in the same run, and ends as {@link io.migrator.cli.bench.Results}: text for a
 * person, JSON for a program.
 *
 * <p>{@code transport}: {@link io.migrator.cli.bench.TransportCommand} starts one {@link
 * io.migrator.cli.bench.SendCommand} for each figure, which opens {@link io.migrator.cli.bench.Lane
 * Lane}s to {@link io.migrator.cli.bench.SinkCommand} or to cat. {@code memory}: {@link
 * io.migrator.cli.bench.MemoryCommand} starts a {@link io.migrator.cli.bench.Pattern} in the lab
 * and moves it in one {@link io.migrator.cli.bench.Way} after the other. {@code suite}: {@link
 * io.migrator.cli.bench.SuiteCommand} does so with the cases of a file.
 */
@NullMarked
package io.migrator.cli.bench;

import org.jspecify.annotations.NullMarked;
