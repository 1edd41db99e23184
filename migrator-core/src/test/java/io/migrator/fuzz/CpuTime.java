package io.migrator.fuzz;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import java.time.Duration;

/** How long a call may compute. */
public final class CpuTime {
    private CpuTime() {}

    /**
     * Does it, and fails if this thread computed longer: however busy the machine is.
     *
     * @param most of the processor's time
     */
    public static <X extends Exception> void within(Duration most, Heap.Call<X> call) throws X {
        long before = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
        call.run();
        long nanos = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - before;
        assertTrue(nanos <= most.toNanos(), () -> nanos / 1_000_000 + " ms of " + most.toMillis());
    }
}
