package io.migrator.migration;

import io.migrator.handover.Handover.Target;
import io.migrator.handover.Handover.TargetEvent;
import io.migrator.handover.Journal;
import io.migrator.handover.Running;
import io.migrator.handover.TargetJournal;
import io.migrator.handover.Token;
import io.migrator.linux.Keeper;
import io.migrator.linux.Proc;
import io.migrator.memory.HiddenPages;
import io.migrator.memory.JobPages;
import io.migrator.memory.LateMemory;
import io.migrator.memory.PageRange;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/**
 * A job that runs here and lacks memory, after whoever filled it has died or lost the source: goes
 * on with it. Holds the journal. One thread.
 */
public final class Refill implements AutoCloseable {
    private static final Duration KILLED = Duration.ofSeconds(5);

    private final Journal file;
    private final TargetJournal journal;
    private final Consumer<String> report;

    /** Null where nothing is lacking. */
    private @Nullable LateMemory memory;

    private Refill(Journal file, TargetJournal journal, Consumer<String> report) {
        this.file = file;
        this.journal = journal;
        this.report = report;
    }

    /**
     * Takes it over.
     *
     * @param wanting told which page the job waits for
     * @param report told of what could not be removed
     * @throws Problem if no such job lacks memory here, or who holds its descriptors is dead
     */
    public static Refill of(
            String id, Token token, LateMemory.Wanting wanting, Consumer<String> report)
            throws Problem, InterruptedException {
        try {
            Journal file = TargetSide.taken(id, token);
            Refill found = new Refill(file, TargetJournal.read(file), report);
            boolean begun = false;
            try {
                found.begin(Spool.parent().resolve(id), wanting);
                begun = true;
                return found;
            } finally {
                if (!begun) {
                    found.close();
                }
            }
        } catch (IOException e) {
            throw Problem.undecided("the job's memory cannot be brought to its end here")
                    .because(e.getMessage())
                    .causedBy(e);
        }
    }

    private void begin(Path images, LateMemory.Wanting wanting)
            throws IOException, Problem, InterruptedException {
        if (journal.state() == Target.RUNNING) {
            return; // only the answer was lost
        }
        if (journal.state() != Target.FILLING) {
            throw new IOException("it is " + journal.state());
        }
        Running old = journal.note().keeper();
        JobPages late = HiddenPages.late(images).all(Long.MAX_VALUE);
        Keeper fresh = Keeper.start();
        memory = LateMemory.goOn(late, images, wanting, fresh);
        journal.note(journal.note().withKeeper(Running.of(new Proc(fresh.pid()))));
        old.kill(KILLED);
        new TargetRemains(journal.head().id(), journal.note(), report).openNetwork();
    }

    /** Takes pages. */
    public void pages(int pid, List<PageRange> places, ByteBuffer bytes)
            throws Problem, InterruptedException {
        int at = bytes.position();
        for (PageRange each : places) {
            ByteBuffer part = bytes.slice(at, (int) each.bytes());
            fill(to -> to.pages(pid, each, part));
            at += (int) each.bytes();
        }
    }

    /** Takes pages of zeros. */
    public void zeros(int pid, PageRange place) throws Problem, InterruptedException {
        fill(to -> to.zeros(pid, place));
    }

    private interface Filling {
        void run(LateMemory to) throws IOException, InterruptedException;
    }

    private void fill(Filling filling) throws Problem, InterruptedException {
        if (memory == null) {
            return;
        }
        try {
            filling.run(memory);
        } catch (IOException e) {
            throw Problem.failed("the job's memory could not be filled").because(e.getMessage());
        }
    }

    /** All pages were sent: the job lacks nothing any more. */
    public void complete() throws Problem, InterruptedException {
        if (memory != null) {
            memory.orIncomplete();
            journal.on(TargetEvent.FILLED);
            end(memory);
            memory = null;
        }
        new TargetSide(report).finish(journal);
    }

    private void end(LateMemory filled) throws InterruptedException {
        try {
            filled.end();
        } catch (IOException e) {
            report.accept(String.valueOf(e.getMessage())); // what is left of it is ended next
        }
    }

    /** What is not complete another can go on with. */
    @Override
    public void close() {
        if (memory != null) {
            memory.close();
        }
        file.close();
    }
}
