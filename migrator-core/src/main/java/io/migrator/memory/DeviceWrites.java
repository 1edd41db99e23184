package io.migrator.memory;

import io.migrator.linux.Proc;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Processes whose memory can change without the processor's writing it, or that watch it
 * themselves: what is written there no write protection sees.
 */
final class DeviceWrites {
    private static final Set<String> KINDS =
            Set.of("anon_inode:[io_uring]", "anon_inode:[userfaultfd]");
    private static final String VERBS = "/dev/infiniband/";
    private static final String RING = "/[aio]";

    private DeviceWrites() {}

    /**
     * What can do so to a process.
     *
     * @return empty if nothing can
     */
    static Optional<String> of(Proc process) throws IOException {
        for (Map.Entry<Integer, String> each : process.descriptors().entrySet()) {
            String link = each.getValue();
            if (KINDS.contains(link) || link.startsWith(VERBS)) {
                return Optional.of(link);
            }
            if (link.startsWith("/") && isDirect(process, each.getKey())) {
                return Optional.of(link + " (O_DIRECT)");
            }
        }
        return Optional.empty();
    }

    /**
     * What can do so while no thread of a process waits for it, so that the process standing still
     * does not say that it is over: asynchronous input (io_submit(2)), of which io_uring and
     * InfiniBand are refused before.
     *
     * @return empty if nothing can
     */
    static Optional<String> unawaited(Proc process) throws IOException {
        boolean any = PrivateAreas.read(process).contains(RING);
        return any ? Optional.of("asynchronous input (io_submit)") : Optional.empty();
    }

    /** Reads go from the device into the program's own pages then. */
    private static boolean isDirect(Proc process, int descriptor) throws IOException {
        try {
            return process.isDirect(descriptor);
        } catch (NoSuchFileException e) {
            return false; // closed meanwhile
        }
    }
}
