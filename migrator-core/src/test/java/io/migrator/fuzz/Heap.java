package io.migrator.fuzz;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;

import java.lang.management.ManagementFactory;

/** How much memory a call may take. */
public final class Heap {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static final int TIMES = 4;

    private Heap() {}

    /** A call. */
    @FunctionalInterface
    public interface Call<X extends Exception> {
        /** Does it. */
        void run() throws X;
    }

    /**
     * Does it, and fails if this thread allocated more meanwhile, be it still in use or not. What a
     * JVM does for the first time takes memory, too: of a few times the one counts that took least.
     *
     * @param mostBytes on the heap
     * @param call may be done again
     */
    public static <X extends Exception> void within(long mostBytes, Call<X> call) throws X {
        long least = allocated(call);
        for (int again = 1; again < TIMES && least > mostBytes; again++) {
            least = Math.min(least, allocated(call));
        }
        long bytes = least;
        assertTrue(bytes <= mostBytes, () -> bytes + " bytes of " + mostBytes + " allocated");
    }

    private static <X extends Exception> long allocated(Call<X> call) throws X {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        call.run();
        return THREADS.getCurrentThreadAllocatedBytes() - before;
    }
}
