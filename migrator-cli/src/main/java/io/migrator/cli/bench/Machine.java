package io.migrator.cli.bench;

import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * What the figures were measured on.
 *
 * @param load average of the last minute when the run began: other work makes figures worthless
 */
record Machine(
        String time, String processor, int cores, String kernel, double load, String javaVersion) {

    static Machine here() throws Problem {
        try {
            return new Machine(
                    Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
                    processorName(),
                    Runtime.getRuntime().availableProcessors(),
                    Files.readString(Path.of("/proc/sys/kernel/osrelease")).strip(),
                    Double.parseDouble(Files.readString(Path.of("/proc/loadavg")).split(" ")[0]),
                    Runtime.version().toString());
        } catch (IOException e) {
            throw Problem.failed("this machine is not known").because(e.toString());
        }
    }

    private static String processorName() throws IOException {
        return Files.readString(Path.of("/proc/cpuinfo"))
                .lines()
                .filter(line -> line.startsWith("model name"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse("unknown");
    }

    String text() {
        return "%s; %s, %d cores, Linux %s, Java %s; load %.1f at the beginning"
                .formatted(time, processor, cores, kernel, javaVersion, load);
    }
}
