package io.migrator.migration;

import io.migrator.criu.CriuSession;
import io.migrator.criu.EagerPages;
import io.migrator.criu.MemoryMap;
import io.migrator.linux.DescriptorSocket;
import io.migrator.linux.Keeper;
import io.migrator.linux.LazyTasks;
import io.migrator.linux.UserFault;
import io.migrator.memory.HiddenPages;
import io.migrator.memory.JobPages;
import io.migrator.memory.LateMemory;
import io.migrator.memory.PageRange;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;

/**
 * The part of a job's memory that may come when the job runs here already. criu hands over a
 * descriptor for each process's memory, before the process does anything with it (criu/uffd.c).
 * Used by one thread beside that of the restore.
 */
final class LateArrival implements AutoCloseable {
    private static final Duration HANDING_OVER = Duration.ofSeconds(5);
    private static final int LOOK_MILLIS = 100;

    private final Path images;
    private final DescriptorSocket socket;
    private final Keeper keeper;
    private final LateMemory memory;
    private final Background taking = Background.ready("descriptors", this::take);
    private JobPages late = new JobPages();
    private Set<Integer> processes = Set.of();
    private final CountDownLatch decided = new CountDownLatch(1);
    private volatile boolean closed;

    private LateArrival(Path images, DescriptorSocket socket, Keeper keeper, LateMemory memory) {
        this.images = images;
        this.socket = socket;
        this.keeper = keeper;
        this.memory = memory;
    }

    /** Awaits what criu hands over. */
    static LateArrival in(Path images, LateMemory.Wanting wanting)
            throws Problem, InterruptedException {
        try {
            Keeper keeper = Keeper.start();
            try {
                DescriptorSocket socket =
                        DescriptorSocket.listen(images.resolve(CriuSession.LAZY_SOCKET));
                LateMemory memory = LateMemory.of(images, wanting, keeper);
                return new LateArrival(images, socket, keeper, memory);
            } catch (IOException e) {
                keeper.end();
                throw e;
            }
        } catch (IOException e) {
            throw Problem.failed("nothing can be made ready for memory that comes late")
                    .because(e.getMessage())
                    .causedBy(e);
        }
    }

    /** Holds the descriptors, and goes on if this process dies. */
    Keeper keeper() {
        return keeper;
    }

    /**
     * All images are there: looks what comes late.
     *
     * @param wanted pages of the job
     * @param maps of all processes that have memory
     * @param mostBytes that may come
     * @return the pages
     */
    JobPages expect(JobPages wanted, Map<Integer, MemoryMap> maps, long mostBytes)
            throws IOException {
        HiddenPages list = HiddenPages.late(images);
        if (Files.exists(list.file())) {
            late = list.all(mostBytes);
        }
        if (late.without(wanted).bytes() > 0 || late.without(possible(late, maps)).bytes() > 0) {
            throw new IOException("pages are to come late that cannot");
        }
        EagerPages.make(images);
        processes = Set.copyOf(maps.keySet());
        memory.expect(late);
        decided.countDown();
        taking.go();
        return late;
    }

    /** Of some pages those in mappings whose pages may come late. */
    static JobPages possible(JobPages pages, Map<Integer, MemoryMap> maps) {
        JobPages found = new JobPages();
        maps.forEach((pid, map) -> {
            for (MemoryMap.Area area : map.areas()) {
                if (area.canBeLate()) {
                    found.addAll(pid, pages, new PageRange(area.start(), area.end()));
                }
            }
        });
        return found;
    }

    private void take() {
        try {
            takeAll();
        } catch (IOException | RuntimeException e) {
            memory.fail(e);
        }
    }

    private void takeAll() throws IOException {
        boolean connected = false;
        while (!connected && !closed) {
            connected = socket.accept(LOOK_MILLIS);
        }
        LazyTasks tasks = new LazyTasks(socket);
        Optional<LazyTasks.Task> task = closed ? Optional.empty() : tasks.next();
        while (task.isPresent()) {
            UserFault descriptor = task.get().memory();
            if (descriptor != null) {
                memory.adopt(task.get().pid(), descriptor);
            }
            task = tasks.next();
        }
    }

    /**
     * The job is restored: returns when all of its memory is in our hands.
     *
     * @return whether anything is still to come; if not, nothing is late any more
     */
    boolean complete() throws Problem, InterruptedException, IOException {
        memory.awaitAll(processes, HANDING_OVER);
        if (late.bytes() > 0) {
            return true;
        }
        memory.end();
        return false;
    }

    /** The job cannot be restored: nobody is to wait for it. */
    void giveUp() {
        decided.countDown();
        memory.giveUp();
    }

    /**
     * Waits until it is known what comes late; of a job that cannot be restored pages are dropped.
     */
    void pages(int pid, PageRange place, ByteBuffer bytes)
            throws IOException, InterruptedException {
        decided.await();
        memory.pages(pid, place, bytes);
    }

    void zeros(int pid, PageRange place) throws IOException, InterruptedException {
        decided.await();
        memory.zeros(pid, place);
    }

    /** Fails if nothing more can be filled: before the job is let go. */
    void orLeftAlone() throws IOException {
        memory.orLeftAlone();
    }

    /** The job lacks nothing any more, or it is given up. */
    void end() throws IOException, InterruptedException {
        close();
        memory.end();
    }

    /** Fails if something is still missing. */
    void orIncomplete() throws Problem {
        memory.orIncomplete();
    }

    /** The keeper goes on. */
    @Override
    public void close() {
        closed = true;
        giveUp();
        try {
            socket.close();
        } catch (IOException e) {
            // it is of no more use in any case
        }
        taking.stop();
        memory.close();
    }
}
