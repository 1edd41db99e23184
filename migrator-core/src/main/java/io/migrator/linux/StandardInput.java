package io.migrator.linux;

/** Descriptor 0 of this process. */
public final class StandardInput {
    private static final long DESCRIPTOR = 0;

    /** fcntl(2); what any user may ask for by default is 1 MiB (pipe(7), pipe-max-size). */
    private static final long F_SETPIPE_SZ = 1031;

    private static final long PIPE_BYTES = 1 << 20;

    private StandardInput() {}

    /**
     * If it is a pipe, lets it hold as much as the system grants without privilege. With the 64 KiB
     * that pipes have, sshd and a receiver wait for each other sixteen times in each block.
     *
     * @return false if it stays as it was, which does no harm
     */
    public static boolean enlarge() {
        return Syscalls.call(Syscalls.FCNTL, DESCRIPTOR, F_SETPIPE_SZ, PIPE_BYTES) > 0;
    }
}
