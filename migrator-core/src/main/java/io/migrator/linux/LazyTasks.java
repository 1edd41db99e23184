package io.migrator.linux;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.Optional;

/**
 * The processes that {@code criu restore --lazy-pages} makes, as it tells them to who gives them
 * their pages (criu/uffd.c, {@code send_uffd}). Does not own the socket; one thread.
 */
public final class LazyTasks {
    /**
     * A process.
     *
     * @param pid as criu's images have it
     * @param memory the receiver's to close; null of a zombie
     */
    public record Task(int pid, @Nullable UserFault memory) {}

    /** LAZY_PAGES_RESTORE_FINISHED. */
    private static final int FINISHED = 0x52535446;

    private final DescriptorSocket socket;
    private boolean finished;

    public LazyTasks(DescriptorSocket socket) {
        this.socket = socket;
    }

    /** Waits for the next one; empty if there will be none. */
    public Optional<Task> next() throws IOException {
        Optional<Integer> number = finished ? Optional.empty() : socket.number();
        if (number.isEmpty()) {
            return Optional.empty();
        }
        int pid = number.get();
        if (pid == FINISHED) {
            finished = true;
            return Optional.empty();
        }
        if (pid < 0) {
            return Optional.of(new Task(-pid, null));
        }
        return Optional.of(new Task(pid, UserFault.of(socket.descriptor())));
    }

    /** Whether criu has said that its restore is done; else it has ended before. */
    public boolean finished() {
        return finished;
    }
}
