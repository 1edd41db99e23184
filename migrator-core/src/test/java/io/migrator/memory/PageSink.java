package io.migrator.memory;

import java.nio.ByteBuffer;

/** A sink of pages only. */
interface PageSink extends JobSink {
    @Override
    default void open(int id, String name) {}

    @Override
    default void data(int id, long offset, ByteBuffer bytes) {}

    @Override
    default void end(int id, long length) {}

    @Override
    default void padding(ByteBuffer bytes) {}

    @Override
    default long sentBytes() {
        return 0;
    }
}
