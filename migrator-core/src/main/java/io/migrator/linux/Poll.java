package io.migrator.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;

/** Waits for something to read (ppoll(2), as arm64 has no poll(2)). */
final class Poll {
    private static final short IN = 1;
    private static final int WRONG = 8 | 0x20; // POLLERR, POLLNVAL

    /** struct pollfd: descriptor, events, what there is. */
    private static final long ENTRY_BYTES = 8;

    private static final long EVENTS_AT = 4;
    private static final long FOUND_AT = 6;

    private Poll() {}

    /**
     * Waits until one of the descriptors has something to read, or an end.
     *
     * @param millis at most; for ever if negative
     * @return false if none has
     */
    static boolean await(int[] descriptors, int millis) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment entries = arena.allocate(descriptors.length * ENTRY_BYTES, ENTRY_BYTES);
            for (int each = 0; each < descriptors.length; each++) {
                entries.set(ValueLayout.JAVA_INT, each * ENTRY_BYTES, descriptors[each]);
                entries.set(ValueLayout.JAVA_SHORT, each * ENTRY_BYTES + EVENTS_AT, IN);
            }
            MemorySegment time = arena.allocate(2L * Long.BYTES, Long.BYTES);
            long nanos = TimeUnit.MILLISECONDS.toNanos(millis);
            time.setAtIndex(ValueLayout.JAVA_LONG, 0, TimeUnit.NANOSECONDS.toSeconds(nanos));
            time.setAtIndex(ValueLayout.JAVA_LONG, 1, nanos % TimeUnit.SECONDS.toNanos(1));
            long timeAt = millis < 0 ? 0 : time.address();
            long found;
            do { // the kernel leaves in it what is left of the time
                found =
                        Syscalls.call(
                                Syscalls.PPOLL, entries.address(), descriptors.length, timeAt, 0);
            } while (found == -Errno.EINTR);
            if (found < 0) {
                throw new IOException("poll: " + Errno.text((int) -found));
            }
            for (int each = 0; each < descriptors.length; each++) {
                if ((entries.get(ValueLayout.JAVA_SHORT, each * ENTRY_BYTES + FOUND_AT) & WRONG)
                        != 0) {
                    throw new IOException("poll: descriptor " + descriptors[each] + " is broken");
                }
            }
            return found > 0;
        }
    }
}
