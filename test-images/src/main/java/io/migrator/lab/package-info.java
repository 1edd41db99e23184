/**
 * The lab as the command line and the tests use it: two nodes made of namespaces on one machine
 * ({@code src/main/lab/lab} makes them), with real Apptainer, criu and sshd.
 */
@NullMarked
package io.migrator.lab;

import org.jspecify.annotations.NullMarked;
