package io.migrator.memory;

/** From the first byte of a page to before that of another. */
record PageRange(long start, long end) {}
