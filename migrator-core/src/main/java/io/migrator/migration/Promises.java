package io.migrator.migration;

import io.migrator.handover.Handover.Target;
import io.migrator.handover.Journal;
import io.migrator.handover.Running;
import io.migrator.handover.TargetJournal;
import io.migrator.handover.TargetJournal.Promise;
import io.migrator.linux.Memory;
import io.migrator.linux.Proc;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Memory of this node that jobs on their way here will take: the kernel calls it free until their
 * pages come, and several jobs that fit one by one need not fit together. Of this user's jobs;
 * while criu puts the memory of one into its processes all of it counts once more. A promise is
 * written before it is known when it was given; others wait for that (Lamport's bakery algorithm).
 */
final class Promises {
    private static final int RSS = 24;
    private static final int PAGE_BYTES = 4096;

    /** Who needs longer to say when is taken for an earlier one. */
    private static final int LOOKS = 1000;

    private final Path journals;

    /** Those that are written there. */
    Promises(Path journals) {
        this.journals = journals;
    }

    /** What a job could take that comes now, bytes. */
    long room() throws Problem, InterruptedException {
        return Math.max(0, Memory.availableBytes() - left("", new Promise(0, Long.MAX_VALUE)));
    }

    /**
     * Fails if there is too little memory for a job beside those that were promised some earlier.
     *
     * @param id of its migration, whose journal is written
     */
    void orTooMany(String id, Promise promise) throws Problem, InterruptedException {
        long promised = left(id, promise);
        long free = Memory.availableBytes();
        if (promised > 0 && promise.bytes() > free - promised) {
            throw Problem.refused("the job has no room beside others that are on their way")
                    .because(
                            "it needs %d MB, and of %d MB that are free they will take %d"
                                    .formatted(promise.bytes() >> 20, free >> 20, promised >> 20))
                    .tryThis("try again when they are there");
        }
    }

    /** What is still to come of the promises that were given before one. */
    private long left(String id, Promise before) throws Problem, InterruptedException {
        long bytes = 0;
        try {
            for (String each : Journal.ids(journals)) {
                if (!each.equals(id)) {
                    bytes += left(each, id, before);
                }
            }
        } catch (IOException e) {
            throw Problem.failed("the journals of this node cannot be read")
                    .because(e.getMessage());
        }
        return bytes;
    }

    private long left(String other, String id, Promise before)
            throws Problem, InterruptedException {
        try {
            Optional<TargetJournal.Note> found = onItsWay(other);
            for (int i = 0; i < LOOKS && isBeingGiven(found); i++) {
                Thread.sleep(1);
                found = onItsWay(other);
            }
            if (found.isEmpty()) {
                return 0;
            }
            TargetJournal.Note note = found.get();
            long later = note.promise().millis() - before.millis();
            boolean yields = later > 0 || later == 0 && other.compareTo(id) > 0;
            return yields ? 0 : Math.max(0, note.promise().bytes() - come(note.criu()));
        } catch (IOException e) {
            return 0; // gone meanwhile, or of no use: recover tells
        }
    }

    private Optional<TargetJournal.Note> onItsWay(String id) throws IOException {
        Journal.Contents contents = Journal.peek(journals, id);
        if (contents.head().role() != Journal.Role.TARGET) {
            return Optional.empty();
        }
        return Optional.of(contents.body(TargetJournal.Note.class))
                .filter(note -> note.state() == Target.PREPARED && note.receiver().alive());
    }

    private static boolean isBeingGiven(Optional<TargetJournal.Note> note) {
        return note.filter(each -> each.promise().lacksTime()).isPresent();
    }

    private static long come(Running criu) throws IOException {
        String pages = criu.alive() ? new Proc(criu.pid()).stat(RSS) : "0";
        return Long.parseLong(pages) * PAGE_BYTES;
    }
}
