package io.migrator.files;

import io.migrator.memory.JobSink;
import io.migrator.memory.PageRange;

import java.nio.ByteBuffer;
import java.util.List;

/** Takes what is sent for practice. */
final class NoSink implements JobSink {
    @Override
    public void open(int id, String name) {}

    @Override
    public void data(int id, long offset, ByteBuffer bytes) {}

    @Override
    public void end(int id, long length) {}

    @Override
    public void pages(int pid, List<PageRange> places, ByteBuffer bytes) {}

    @Override
    public void zeros(int pid, PageRange place) {}

    @Override
    public void padding(ByteBuffer bytes) {}

    @Override
    public long sentBytes() {
        return 0;
    }
}
