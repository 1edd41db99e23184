/**
 * What fuzz tests have in common (docs/fuzzing.md): bounds, and text as the kernel writes it of
 * names that others chose. Used by the tests of other modules, too.
 */
package io.migrator.fuzz;
