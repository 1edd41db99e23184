package io.migrator.files;

import io.migrator.instance.ImageIdentity;
import io.migrator.linux.DataExtents;
import io.migrator.linux.FileState;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;

/**
 * What a target is told of a file or directory of the node that a job uses.
 *
 * @param identity as it is here
 * @param directory true if it is a directory
 * @param written true if the job may write to it
 * @param probe name of a file that lies beside it while the target looks; empty if none does
 * @param permissions of a directory that must be the same, as criu compares them; else -1
 * @param dataBytes what would be carried
 */
public record FileClaim(
        ImageIdentity identity,
        boolean directory,
        boolean written,
        String probe,
        int permissions,
        long dataBytes) {

    /** An answer, with files of the same contents as the same, where the job only reads them. */
    public FileAnswer settled(FileAnswer answer) throws Problem {
        boolean alike =
                answer.state() == FileAnswer.State.ANOTHER
                        && !answer.digest().isEmpty()
                        && !written
                        && answer.digest().equals(identity.withDigest().digest());
        return alike ? new FileAnswer(FileAnswer.State.SAME, answer.digest(), "") : answer;
    }

    /** Of a file that is used. */
    static FileClaim of(UsedFile file, String probe) throws Problem, IOException {
        Path path = Objects.requireNonNull(file.onNode());
        long dataBytes = 0;
        if (!file.directory()) {
            try (DataExtents extents = DataExtents.of(path)) {
                dataBytes = extents.bytes();
            }
        }
        boolean compared = file.use() == UsedFile.Use.DIRECTORY;
        return new FileClaim(
                ImageIdentity.of(path),
                file.directory(),
                file.written(),
                probe,
                compared ? FileState.of(path).permissions() : -1,
                dataBytes);
    }
}
