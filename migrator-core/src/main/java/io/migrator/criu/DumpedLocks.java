package io.migrator.criu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The file locks that a dump holds and its restore will take: exact, and read in no time, where
 * looking through /proc would lengthen the freeze.
 *
 * <p>Field numbers are those of criu's images/file-lock.proto.
 */
public final class DumpedLocks {
    private static final int PID = 3;
    private static final int DESCRIPTOR = 4;

    /**
     * A lock.
     *
     * @param pid inside the instance
     * @param descriptor by which the process holds it
     */
    public record Lock(int pid, int descriptor) {}

    private DumpedLocks() {}

    /** Those of a dump that is held. */
    public static List<Lock> of(Path images) throws IOException {
        Path file = images.resolve("filelocks.img");
        if (!Files.exists(file)) {
            return List.of(); // criu makes no empty image
        }
        List<Lock> found = new ArrayList<>();
        for (ProtoMessage entry : ImageFile.read(file).entries()) {
            found.add(
                    new Lock(
                            (int) entry.number(PID).orElse(0),
                            (int) entry.number(DESCRIPTOR).orElse(0)));
        }
        return found;
    }
}
