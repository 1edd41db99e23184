package io.migrator.cli.bench;

/**
 * A number of bytes sent.
 *
 * @param seconds from the first byte until the far end said that it has the last
 * @param nearCpuSeconds of the sending process and its ssh
 * @param farCpuSeconds of the receiving process and its sshd
 */
record Transfer(long bytes, double seconds, double nearCpuSeconds, double farCpuSeconds) {
    private static final double MEGA = 1e6;
    private static final double GIGA = 1e9;

    double megabytesPerSecond() {
        return bytes / MEGA / seconds;
    }

    double nearCpuPerGigabyte() {
        return nearCpuSeconds / (bytes / GIGA);
    }

    double farCpuPerGigabyte() {
        return farCpuSeconds / (bytes / GIGA);
    }
}
