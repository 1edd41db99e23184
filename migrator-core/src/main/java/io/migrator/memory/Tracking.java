package io.migrator.memory;

/** How it is told what a process writes while its memory is copied. */
public enum Tracking {
    /** By write protection; where that cannot be, or does not see all, by comparing. */
    AUTO,
    /** By the kernel's asynchronous write protection, or not at all. */
    PROTECT,
    /** By hashes of all pages, each time. */
    HASH
}
