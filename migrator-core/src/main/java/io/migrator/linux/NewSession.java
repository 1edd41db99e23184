package io.migrator.linux;

import io.migrator.linux.PidFd.Signal;

import java.io.IOException;

/**
 * Makes a running process the leader of a session of its own, as if it had called setsid(2): criu
 * can restore only sessions that are led from inside the tree (facts: users.md section 3). The
 * process stands still for some milliseconds; it loses its controlling terminal, and leaves its
 * process group.
 */
public final class NewSession {
    private static final long CLONE_SHARED =
            0x100 | 0x200 | 0x400 | 0x800; // VM, FS, FILES, SIGHAND
    private static final long CLONE_PTRACE = 0x2000;
    private static final long WAIT_ALL_NO_HANG = 0x40000000 | 1;
    private static final int REAPS = 1000;

    private NewSession() {}

    /**
     * Whether a seccomp filter, which this user may not switch off, would see the calls made in it.
     */
    public static boolean isWatched(Proc process) throws IOException {
        return !User.isRoot() && isFiltered(process);
    }

    private static boolean isFiltered(Proc process) throws IOException {
        return !process.status("Seccomp").orElse("0").equals("0");
    }

    /**
     * Does it; to be called by a platform thread.
     *
     * @param process whose first thread lives; this user must have the right to trace it
     * @throws IOException if it cannot be done; the process goes on as it was
     */
    public static void lead(Proc process) throws IOException {
        // a filter that kills for a call it does not expect must not see ours
        if (isWatched(process)) {
            throw new IOException("a seccomp filter would see the calls made in it");
        }
        long result;
        try (Tracee tracee = Tracee.stop(process.pid(), isFiltered(process))) {
            result = tracee.call(Syscalls.SETSID);
            if (result == -Errno.EPERM) {
                result = leaveGroupAndLead(tracee);
            }
        }
        if (result < 0) {
            throw new IOException("setsid in it: " + Errno.text((int) -result));
        }
    }

    /**
     * The leader of a process group may not begin a session. So it makes a child that shares
     * everything and never runs an instruction, gives that a group, joins it, and leads no more.
     */
    private static long leaveGroupAndLead(Tracee tracee) throws IOException {
        long child = tracee.call(Syscalls.CLONE, CLONE_SHARED | CLONE_PTRACE);
        if (child < 0) {
            return child;
        }
        long result = tracee.call(Syscalls.SETPGID, child, child);
        if (result == 0) {
            result = tracee.call(Syscalls.SETPGID, 0, child);
        }
        if (result == 0) {
            result = tracee.call(Syscalls.SETSID);
        }
        end(tracee, child);
        return result;
    }

    private static void end(Tracee tracee, long child) throws IOException {
        long here = tracee.newChild();
        try (PidFd held = PidFd.open(here)) {
            held.send(Signal.KILL);
        }
        for (int tries = 0; tries < REAPS; tries++) {
            tracee.reap(here);
            if (tracee.call(Syscalls.WAIT4, child, 0, WAIT_ALL_NO_HANG, 0) != 0) {
                return;
            }
        }
        throw new IOException("a helper process " + here + " does not end");
    }
}
