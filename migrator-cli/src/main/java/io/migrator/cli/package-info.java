/**
 * What a person types: one class per command, each turning its options into a call of the core and
 * the result into text or JSON. {@link io.migrator.cli.Main} maps problems to exit codes, once.
 */
@NullMarked
package io.migrator.cli;

import org.jspecify.annotations.NullMarked;
