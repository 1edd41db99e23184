package io.migrator.memory;

import io.migrator.linux.SparseFile;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Pages of a job that are on the target before its processes are: a sparse file for each in which
 * the offset is the address, so that a page that comes again takes the place of the older one. It
 * lies in memory, open to its owner only, and goes with its directory. One thread.
 */
public final class PageStore implements AutoCloseable {
    private static final int BLOCK_BYTES = 1 << 20;

    /** Copying is bound by the memory long before more would help. */
    private static final int MOST_THREADS = 4;

    private final Path directory;
    private final Map<Integer, SparseFile> files = new HashMap<>();
    private final JobPages there = new JobPages();

    /** Takes pages. */
    @FunctionalInterface
    public interface Visitor {
        /** Of a process, by its pid inside the instance; the buffer is direct. Any thread. */
        void pages(int pid, long address, ByteBuffer bytes) throws Problem;
    }

    private record Chunk(int pid, SparseFile file, PageRange range) {}

    /** One that is empty. */
    public PageStore(Path directory) {
        this.directory = directory;
    }

    /**
     * Keeps pages.
     *
     * @param pid of their process inside the instance
     * @param pages direct; left as they are
     */
    public void put(int pid, long address, ByteBuffer pages) throws IOException {
        SparseFile file = files.get(pid);
        if (file == null) {
            file = SparseFile.create(directory.resolve("memory-" + pid));
            files.put(pid, file);
        }
        file.write(pages, address);
        long end = address + pages.remaining();
        there.add(pid, address, end);
    }

    /**
     * Gives all pages that are here and among the wanted ones, on several threads, and forgets them
     * as it goes: the memory is never needed twice.
     *
     * @throws Problem the visitor's
     */
    public void forEach(JobPages wanted, Visitor visitor)
            throws IOException, Problem, InterruptedException {
        List<Chunk> chunks = chunks(wanted);
        AtomicInteger next = new AtomicInteger();
        int threads = Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors());
        try (ExecutorService workers = Executors.newFixedThreadPool(threads)) {
            List<Future<?>> work = new ArrayList<>();
            for (int each = 0; each < Math.min(threads, chunks.size()); each++) {
                work.add(workers.submit(() -> give(chunks, next, visitor)));
            }
            try {
                for (Future<?> each : work) {
                    each.get();
                }
            } finally {
                next.set(chunks.size()); // of use only if one failed
            }
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case Problem problem -> throw problem;
                case IOException broken -> throw broken;
                case null, default -> throw new IllegalStateException(e);
            }
        }
    }

    private List<Chunk> chunks(JobPages wanted) {
        List<Chunk> chunks = new ArrayList<>();
        files.forEach((pid, file) -> {
            PageSet pages = there.at(pid);
            pages.retainAll(wanted.of(pid));
            for (PageRange range : pages.ranges()) {
                for (long at = range.start(); at < range.end(); at += BLOCK_BYTES) {
                    long end = Math.min(at + BLOCK_BYTES, range.end());
                    chunks.add(new Chunk(pid, file, new PageRange(at, end)));
                }
            }
        });
        return chunks;
    }

    private static @Nullable Void give(List<Chunk> chunks, AtomicInteger next, Visitor visitor)
            throws IOException, Problem {
        ByteBuffer block = ByteBuffer.allocateDirect(BLOCK_BYTES);
        for (int each = next.getAndIncrement();
                each < chunks.size();
                each = next.getAndIncrement()) {
            Chunk chunk = chunks.get(each);
            long start = chunk.range.start();
            block.clear().limit((int) (chunk.range.end() - start));
            chunk.file.read(block, start);
            visitor.pages(chunk.pid, start, block);
            chunk.file.punch(start, block.limit());
        }
        return null;
    }

    @Override
    public void close() {
        files.values().forEach(SparseFile::close);
    }
}
