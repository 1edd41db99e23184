package io.migrator.migration;

import io.migrator.memory.JobSink;
import io.migrator.memory.Pace;
import io.migrator.memory.PageFeed;
import io.migrator.memory.PageRange;
import io.migrator.memory.PreCopy;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * Copies of one job, one after the other: what one of them has of its memory the next need not
 * have, which is to be read with it. Between two of them the job's writes are watched, which costs
 * it a fault for each page that it writes first. One thread.
 */
public final class Series implements AutoCloseable {
    private @Nullable PreCopy copy;
    private @Nullable JobSink sink;
    private PageFeed.Progress progress = _ -> {};
    private boolean whole;

    /** Whether the next copy will lack what others have. */
    public boolean buildsOnOthers() {
        return whole;
    }

    /** The next copy has all of the memory. */
    public void beginAnew() throws InterruptedException {
        whole = false;
        if (copy != null) {
            copy.close();
            copy = null;
        }
    }

    /** What watches the job, for the next copy of it. */
    PreCopy next(JobSink to, PageFeed.Progress told, MemoryWish wish) {
        sink = to;
        progress = told;
        PreCopy found = copy;
        if (found == null) {
            Relay relay = new Relay();
            Pace pace = new Pace(wish.bytesPerSecond(), relay::sentBytes);
            found = new PreCopy(relay, bytes -> progress.sent(bytes), pace, wish.tracking());
            found.goOn();
            copy = found;
        }
        return found;
    }

    /** The copy is kept, and the job runs on. */
    void kept() {
        whole = true;
        if (copy != null) {
            copy.thaw();
        }
    }

    @Override
    public void close() throws InterruptedException {
        beginAnew();
    }

    /** To the sink of the copy that is being made. */
    private final class Relay implements JobSink {
        private JobSink to() {
            JobSink found = sink;
            if (found == null) {
                throw new IllegalStateException("no copy is being made");
            }
            return found;
        }

        @Override
        public void open(int id, String name) throws Problem, InterruptedException {
            to().open(id, name);
        }

        @Override
        public void data(int id, long offset, ByteBuffer bytes)
                throws Problem, InterruptedException {
            to().data(id, offset, bytes);
        }

        @Override
        public void end(int id, long length) throws Problem, InterruptedException {
            to().end(id, length);
        }

        @Override
        public void pages(int pid, List<PageRange> places, ByteBuffer bytes)
                throws Problem, InterruptedException {
            to().pages(pid, places, bytes);
        }

        @Override
        public void zeros(int pid, PageRange place) throws Problem, InterruptedException {
            to().zeros(pid, place);
        }

        @Override
        public void padding(ByteBuffer bytes) throws Problem, InterruptedException {
            to().padding(bytes);
        }

        @Override
        public long sentBytes() {
            return to().sentBytes();
        }
    }
}
