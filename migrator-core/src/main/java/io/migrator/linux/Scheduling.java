package io.migrator.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/**
 * On which processors a thread may run, and how its reads and writes are served
 * (sched_setaffinity(2), ioprio_set(2)).
 */
public final class Scheduling {
    private static final long WHO_PROCESS = 1;
    private static final long NICE = 10;

    private Scheduling() {}

    /**
     * Reads such a list as {@code 0-3,8}.
     *
     * @throws IOException if it is none
     */
    static BitSet processors(String list) throws IOException {
        BitSet found = new BitSet();
        try {
            for (String range : list.split(",")) {
                String[] ends = range.split("-", 2);
                int first = Integer.parseInt(ends[0]);
                int last = ends.length > 1 ? Integer.parseInt(ends[1]) : first;
                if (last >= 1 << 16) {
                    throw new IOException("no such processor: " + list);
                }
                found.set(first, last + 1);
            }
            return found;
        } catch (RuntimeException e) {
            throw new IOException("not a list of processors: " + list, e);
        }
    }

    /**
     * Lets a thread run on these processors only.
     *
     * @param list as status tells it, Cpus_allowed_list
     */
    public static void setAffinity(Proc thread, String list) throws IOException {
        byte[] bits = processors(list).toByteArray();
        int length = (bits.length + 7) / 8 * 8;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = arena.allocate(length, 8);
            MemorySegment.copy(bits, 0, mask, JAVA_BYTE, 0, bits.length);
            orFail(
                    "sched_setaffinity",
                    Syscalls.call(
                            Syscalls.SCHED_SETAFFINITY, thread.pid(), length, mask.address()));
        }
    }

    /**
     * The calling thread lets others go first, for good: its nice value becomes 10 (setpriority(2),
     * which means one thread on Linux). Else criu, and what of the job it wakes, wait for a time
     * slice of three milliseconds each time that it has the processor they are put on.
     */
    public static void lastOfAll() {
        Syscalls.call(Syscalls.SETPRIORITY, 0, 0, NICE);
    }

    /** Class and level of a thread as the kernel packs them; 0 if none was set. */
    public static int ioPriority(Proc thread) throws IOException {
        return (int)
                orFail("ioprio_get", Syscalls.call(Syscalls.IOPRIO_GET, WHO_PROCESS, thread.pid()));
    }

    /** Sets what {@link #ioPriority} told. */
    public static void setIoPriority(Proc thread, int priority) throws IOException {
        orFail(
                "ioprio_set",
                Syscalls.call(Syscalls.IOPRIO_SET, WHO_PROCESS, thread.pid(), priority));
    }

    private static long orFail(String call, long result) throws IOException {
        if (result < 0) {
            throw new IOException(call + ": " + Errno.text((int) -result));
        }
        return result;
    }
}
