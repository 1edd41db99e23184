package io.migrator.wire;

/** Whether file data crosses the wire compressed. Each block that does not shrink goes raw. */
public enum Compression {
    /** Tries, and after blocks that did not shrink tries more and more rarely. */
    AUTO,
    /** Never. */
    NONE,
    /** Tries every block. */
    LZ4
}
