package io.migrator.linux;

import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** This node's memory, /proc/meminfo (proc(5)), and what cgroups leave of it. */
public final class Memory {
    private static final String AVAILABLE = "MemAvailable:";

    private Memory() {}

    /**
     * Bytes that this process, and what it starts, could still take without swapping, as the kernel
     * estimates it.
     */
    public static long availableBytes() throws Problem {
        try {
            return Math.min(ofNode(), MemoryLimits.room());
        } catch (IOException e) {
            throw Problem.failed("this node's free memory is not known").because(e.toString());
        }
    }

    private static long ofNode() throws IOException {
        return Files.readString(Path.of("/proc/meminfo"))
                .lines()
                .filter(line -> line.startsWith(AVAILABLE))
                .map(line -> line.substring(AVAILABLE.length()).strip().split(" ")[0])
                .mapToLong(kilobytes -> Long.parseLong(kilobytes) * 1024)
                .findFirst()
                .orElseThrow(() -> new IOException("no " + AVAILABLE));
    }
}
