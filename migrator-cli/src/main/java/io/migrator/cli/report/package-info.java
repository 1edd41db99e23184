/**
 * The report of a benchmark or of one migration: a page of its own with pictures and tables, drawn
 * by the browser with Observable Plot and D3 from data in it. It asks for nothing from outside.
 */
@NullMarked
package io.migrator.cli.report;

import org.jspecify.annotations.NullMarked;
