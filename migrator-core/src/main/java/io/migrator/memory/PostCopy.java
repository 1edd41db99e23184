package io.migrator.memory;

import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Memory that goes to the target after the job was let go there (post-copy; Hines et al.,
 * "Post-copy live migration of virtual machines", 2009): all of it in order, and what the job waits
 * for first. The source stands still until all of it is over, so that it may be sent once more.
 */
public final class PostCopy implements AutoCloseable {
    /** So much follows a page that the job waits for, as it will want that next. */
    private static final long AHEAD_BYTES = 64 << 10;

    private static final int LOOK_MILLIS = 1;

    private final HeldTree frozen;
    private final JobPages late;
    private final BlockingQueue<Wanted> wanted = new LinkedBlockingQueue<>();
    private final JobPages noted = new JobPages();
    private volatile boolean runs;

    private volatile boolean enough;

    private record Wanted(int pid, long address) {}

    /**
     * Nothing is sent.
     *
     * @param frozen whose memory it is; this object's
     * @param late pages; not to be changed any more
     */
    public PostCopy(HeldTree frozen, JobPages late) {
        this.frozen = frozen;
        this.late = late;
    }

    /** How much it is. */
    public long bytes() {
        return late.bytes();
    }

    /** Fails if a process has ended whose memory it is. */
    public void orGone() throws IOException {
        for (int pid : late.pids()) {
            frozen.process(pid);
        }
    }

    /** The job waits for a page. Any thread; one that is not late, or was wanted, is not noted. */
    public void wanted(int pid, long address) {
        long start = address & -PageSet.PAGE_BYTES;
        PageRange page = new PageRange(start, start + PageSet.PAGE_BYTES);
        synchronized (noted) {
            if (!late.of(pid).hasAny(page) || noted.of(pid).hasAny(page)) {
                return;
            }
            noted.add(pid, page.start(), page.end());
        }
        wanted.add(new Wanted(pid, start));
    }

    /** The job runs there: what it does not wait for may take the line, too. Any thread. */
    public void runs() {
        runs = true;
    }

    /**
     * Sends what the job waits for, and all of it once the job runs. One thread.
     *
     * @throws Problem if a page cannot be read or sent; all of it may be sent again then
     */
    public void send(JobSink sink, PageFeed.Progress progress)
            throws Problem, InterruptedException {
        JobPages rest = late.copy();
        synchronized (noted) {
            noted.removeAll(late); // who asks once more waits once more
        }
        try (PageFeed feed = new PageFeed(sink, progress)) {
            while (!runs && !enough) {
                serve(feed, rest, wanted.poll(LOOK_MILLIS, TimeUnit.MILLISECONDS));
            }
            for (int pid : late.pids()) {
                for (List<PageRange> batch : PageFeed.batches(late.of(pid).ranges())) {
                    if (enough) {
                        return;
                    }
                    serve(feed, rest, wanted.poll());
                    send(feed, rest, pid, batch);
                }
            }
        } catch (IOException e) {
            throw Problem.failed("the job's memory cannot be read")
                    .because(e.getMessage())
                    .causedBy(e);
        }
    }

    private void serve(PageFeed feed, JobPages rest, @Nullable Wanted first)
            throws Problem, InterruptedException, IOException {
        for (Wanted page = first; page != null; page = wanted.poll()) {
            long start = page.address;
            if (rest.of(page.pid).hasAny(new PageRange(start, start + PageSet.PAGE_BYTES))) {
                send(feed, rest, page.pid, List.of(new PageRange(start, start + AHEAD_BYTES)));
            }
        }
    }

    /** What of some ranges is not sent yet. */
    private void send(PageFeed feed, JobPages rest, int pid, List<PageRange> ranges)
            throws Problem, InterruptedException, IOException {
        PageSet pages = new PageSet();
        ranges.forEach(each -> pages.addAll(rest.of(pid), each));
        List<PageRange> left = new ArrayList<>(pages.ranges());
        for (List<PageRange> batch : PageFeed.batches(left)) {
            feed.send(pid, frozen.process(pid), batch, (places, bytes) -> {});
        }
        left.forEach(each -> rest.remove(pid, each.start(), each.end()));
    }

    /** Lets the sending end soon: the job stays. What is sent at the moment is sent whole. */
    public void enough() {
        enough = true;
    }

    @Override
    public void close() {
        frozen.close();
    }
}
