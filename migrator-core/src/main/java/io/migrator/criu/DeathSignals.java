package io.migrator.criu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Keeps the root of a tree alive when criu ends. {@code apptainer exec} asks the kernel to kill its
 * program when its parent dies (PR_SET_PDEATHSIG); criu restores that with itself as the parent, so
 * that its own end would kill the job (facts: swrk.md section 3).
 *
 * <p>Field numbers are those of criu's images/core.proto.
 */
public final class DeathSignals {
    private static final int THREAD_CORE = 5;
    private static final int DEATH_SIGNAL = 8;

    private DeathSignals() {}

    /**
     * Changes the images of a dump that is held.
     *
     * @param threads pids inside of those threads whose parent does not go along
     * @return how many had such a signal
     */
    public static int clear(Path images, List<Integer> threads) throws IOException {
        int cleared = 0;
        for (int thread : threads) {
            Path file = images.resolve("core-" + thread + ".img");
            if (Files.exists(file) && clear(file)) {
                cleared++;
            }
        }
        return cleared;
    }

    private static boolean clear(Path file) throws IOException {
        ImageFile image = ImageFile.read(file);
        List<ProtoMessage> entries = new ArrayList<>();
        boolean changed = false;
        for (ProtoMessage entry : image.entries()) {
            ProtoMessage kept = entry;
            for (ProtoMessage thread : entry.messages(THREAD_CORE)) {
                if (thread.number(DEATH_SIGNAL).orElse(0) != 0) {
                    kept = entry.replacing(THREAD_CORE, thread.without(DEATH_SIGNAL));
                    changed = true;
                }
            }
            entries.add(kept);
        }
        if (changed) {
            new ImageFile(image.magic(), entries).write(file);
        }
        return changed;
    }
}
