package io.migrator.migration;

import com.fasterxml.jackson.databind.ObjectMapper;

import io.migrator.files.RunDirectory;
import io.migrator.instance.Apptainer;
import io.migrator.linux.PidFd;
import io.migrator.linux.Proc;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Optional;

/**
 * The note a target leaves in its spool before it makes anything, so that what it made can be
 * removed when it was killed: a killed JVM runs no undo. The note is gone from the moment the job
 * may run there.
 *
 * @param instance name of the empty instance
 * @param ownsRunDirectory true if the run directory was made for the job
 * @param receiver pid of the JVM that prepared
 * @param receiverStart its start time
 */
public record Leftover(
        String instance, boolean ownsRunDirectory, long receiver, long receiverStart) {
    private static final String NOTE = "note.json";
    private static final Duration END = Duration.ofSeconds(5);
    private static final ObjectMapper JSON = new ObjectMapper();

    /** A note of this JVM. */
    static Leftover of(String instance, boolean ownsRunDirectory) throws IOException {
        Proc self = Proc.self();
        return new Leftover(instance, ownsRunDirectory, self.pid(), self.startTime());
    }

    /** Leaves the note. */
    void writeTo(Spool spool) throws IOException {
        Path draft = spool.directory().resolve(NOTE + ".draft");
        Files.write(draft, JSON.writeValueAsBytes(this));
        Files.move(draft, spool.directory().resolve(NOTE), StandardCopyOption.ATOMIC_MOVE);
    }

    /** Takes the note back: nothing may be discarded any more. */
    static void removeFrom(Spool spool) throws IOException {
        Files.deleteIfExists(spool.directory().resolve(NOTE));
    }

    /**
     * Removes what a target of this user left behind on this node. For the source of that
     * migration, which holds the job's token.
     *
     * @param id of the migration
     * @return false if nothing of that migration is here
     */
    public static boolean discard(String id) throws Problem, InterruptedException {
        Optional<Spool> spool = Spool.find(id);
        if (spool.isEmpty()) {
            return false;
        }
        try {
            Path note = spool.get().directory().resolve(NOTE);
            if (Files.exists(note)) {
                Leftover left = JSON.readValue(Files.readAllBytes(note), Leftover.class);
                left.endReceiver();
                Apptainer.stop(left.instance);
                if (left.ownsRunDirectory) {
                    RunDirectory.of(left.instance).delete();
                }
            }
            // the receiver may have removed it on its own in the meantime
            if (Spool.find(id).isPresent()) {
                spool.get().close();
            }
            return true;
        } catch (IOException e) {
            throw Problem.failed("what is left of the migration could not be removed")
                    .because(e.toString())
                    .causedBy(e);
        }
    }

    private void endReceiver() throws IOException, InterruptedException {
        Proc process = new Proc(receiver);
        if (!process.alive() || process.startTime() != receiverStart) {
            return;
        }
        try (PidFd held = PidFd.open(receiver)) {
            held.send(PidFd.Signal.KILL);
        }
        long end = System.nanoTime() + END.toNanos();
        while (process.alive() && System.nanoTime() < end) {
            Thread.sleep(10);
        }
    }
}
