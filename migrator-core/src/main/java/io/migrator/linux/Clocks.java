package io.migrator.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The clocks that count from a node's start, CLOCK_MONOTONIC and CLOCK_BOOTTIME, as one process
 * sees them; or the difference of two such pairs. A program that moves must not see them step back
 * (time_namespaces(7)).
 *
 * @param monotonicNanos in nanoseconds
 * @param boottimeNanos in nanoseconds
 */
public record Clocks(long monotonicNanos, long boottimeNanos) {
    private static final Path UPTIME = Path.of("/proc/uptime");
    private static final long NANOS = 1_000_000_000;

    /** What /proc/uptime leaves out. */
    private static final long UPTIME_STEP_NANOS = 10_000_000;

    private static final Pattern OFFSETS =
            Pattern.compile("(?m)^(monotonic|boottime) +(-?\\d+) +(\\d+)$");

    /** As this process sees them; not later than they are. */
    public static Clocks now() throws IOException {
        String[] uptime = Files.readString(UPTIME).split("[. ]", 3);
        long boottime =
                Long.parseLong(uptime[0]) * NANOS + Long.parseLong(uptime[1]) * UPTIME_STEP_NANOS;
        return new Clocks(System.nanoTime(), boottime); // which is CLOCK_MONOTONIC on Linux
    }

    /** As another process sees them; not earlier than they are. */
    public static Clocks of(Proc process) throws IOException {
        Clocks now = now();
        Clocks offset = offsets(process).minus(offsets(Proc.self()));
        return new Clocks(
                now.monotonicNanos + offset.monotonicNanos,
                now.boottimeNanos + offset.boottimeNanos + UPTIME_STEP_NANOS);
    }

    /** How far these are ahead of others. */
    public Clocks minus(Clocks others) {
        return new Clocks(
                monotonicNanos - others.monotonicNanos, boottimeNanos - others.boottimeNanos);
    }

    /** Of its time namespace; none where the kernel has none. */
    private static Clocks offsets(Proc process) throws IOException {
        Path file = process.file("timens_offsets");
        long monotonic = 0;
        long boottime = 0;
        if (Files.exists(file)) {
            String text = Files.readString(file, StandardCharsets.US_ASCII);
            for (Matcher line = OFFSETS.matcher(text); line.find(); ) {
                long nanos = Long.parseLong(line.group(2)) * NANOS + Long.parseLong(line.group(3));
                if (line.group(1).equals("monotonic")) {
                    monotonic = nanos;
                } else {
                    boottime = nanos;
                }
            }
        }
        return new Clocks(monotonic, boottime);
    }
}
