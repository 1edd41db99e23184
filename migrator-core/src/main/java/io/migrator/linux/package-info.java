/**
 * Linux as the rest of the code sees it: programs ({@link io.migrator.linux.Command}), processes
 * and namespaces read from /proc ({@link io.migrator.linux.Proc}), and system calls by
 * java.lang.foreign, one class per family of calls. Nothing outside this package may import
 * java.lang.foreign. Every return value is checked and errno kept with its call.
 */
@NullMarked
package io.migrator.linux;

import org.jspecify.annotations.NullMarked;
