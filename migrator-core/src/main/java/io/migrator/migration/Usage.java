package io.migrator.migration;

import io.migrator.linux.CpuSeconds;
import io.migrator.linux.Proc;

import org.jspecify.annotations.Nullable;

import java.io.IOException;

/**
 * What one side of a migration took of its node.
 *
 * @param cpuSeconds processor time of this program and of what it started, in steps of 10 ms; on a
 *     target with what started it, if that can be seen: the sshd that serves it
 * @param peakBytes the most resident memory that this program had, without what it started
 */
public record Usage(double cpuSeconds, long peakBytes) {
    /**
     * Takes what a node says.
     *
     * @throws IllegalArgumentException if it is less than nothing, or no number
     */
    public Usage {
        if (!(cpuSeconds >= 0) || Double.isInfinite(cpuSeconds) || peakBytes < 0) {
            throw new IllegalArgumentException("a side that took less than nothing");
        }
    }

    /** Of the source, until now; null if that is not known. */
    static @Nullable Usage ofSource() {
        try {
            return new Usage(CpuSeconds.ofThisProcess(), peak());
        } catch (IOException | RuntimeException e) {
            return null; // a number for a picture is not to cost anything
        }
    }

    /** Of the target, until now. */
    static Usage ofTarget() throws IOException {
        double sshd = 0;
        try {
            sshd = CpuSeconds.ofParent();
        } catch (IOException e) {
            // /proc may hide what others run
        }
        return new Usage(CpuSeconds.ofThisProcess() + sshd, peak());
    }

    private static long peak() throws IOException {
        String most = // "123 kB" (proc(5))
                Proc.self().status("VmHWM").orElseThrow(() -> new IOException("no VmHWM"));
        return Long.parseLong(most.split(" ")[0]) << 10;
    }
}
