/**
 * Everything that could fail is looked for before anything is frozen. A check looks at one thing
 * and gives {@link io.migrator.check.Finding}s; {@link io.migrator.check.Preflight} refuses where
 * one forbids. Each stage keeps its own checks.
 */
@NullMarked
package io.migrator.check;

import org.jspecify.annotations.NullMarked;
