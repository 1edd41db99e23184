package io.migrator.files;

import io.migrator.files.FileAnswer.State;
import io.migrator.instance.ImageIdentity;
import io.migrator.linux.DataExtents;
import io.migrator.linux.FileState;
import io.migrator.linux.HeldFile;
import io.migrator.linux.User;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Objects;

/**
 * What a target is told of a file or directory of the node that a job uses.
 *
 * @param identity as it is here
 * @param use what the job does with it
 * @param probe what lies beside it while the target looks
 * @param uid owner
 * @param gid group
 * @param permissions of it
 * @param dataBytes what would be carried
 */
public record FileClaim(
        ImageIdentity identity,
        UsedFile.Use use,
        Probe probe,
        int uid,
        int gid,
        int permissions,
        long dataBytes) {
    /**
     * A file by which a target knows that it sees the same directory.
     *
     * @param name of it; empty if there is none
     * @param text that is in it, and that nobody but its owner can read
     */
    public record Probe(String name, String text) {
        /** There is none. */
        static final Probe NONE = new Probe("", "");
    }

    /** The same with the digest of the file, which is read for it. */
    public FileClaim digested() throws Problem {
        return new FileClaim(identity.withDigest(), use, probe, uid, gid, permissions, dataBytes);
    }

    /** An answer, with files of the same contents as the same, where the job only reads them. */
    public FileAnswer settled(FileAnswer answer) throws Problem {
        boolean alike =
                answer.state() == State.ANOTHER
                        && !answer.digest().isEmpty()
                        && use == UsedFile.Use.READ
                        && answer.digest().equals(identity.withDigest().digest());
        return alike ? new FileAnswer(State.SAME, answer.digest(), "") : answer;
    }

    /** Of a file that is used. */
    static FileClaim of(UsedFile file, Probe probe) throws Problem, IOException {
        Path path = Objects.requireNonNull(file.onNode());
        long dataBytes = 0;
        if (!file.directory()) {
            dataBytes = file.state().bytes(); // unless it can be read
            try (HeldFile held = HeldFile.open(path)) {
                dataBytes = DataExtents.bytes(held);
            } catch (NoSuchFileException e) {
                throw e;
            } catch (IOException e) {
                // the target may have the very same, which need not be read here
            }
        }
        FileState state = file.state();
        return new FileClaim(
                ImageIdentity.of(path),
                file.use(),
                probe,
                state.uid(),
                state.gid(),
                state.permissions(),
                dataBytes);
    }

    /** Whether a file has the same permissions, which criu compares, and no stranger for owner. */
    boolean hasRightsOf(FileState other) throws IOException {
        boolean trusted = other.uid() == 0 || other.uid() == uid || other.uid() == User.id();
        return trusted && permissions == other.permissions();
    }
}
