package io.migrator.cli.report;

import io.migrator.linux.Command;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the figures were measured on.
 *
 * @param load average of the last minute when the run began: other work makes figures worthless
 * @param criuVersion and the others: empty where the program is not
 */
public record Machine(
        String time,
        String processor,
        int cores,
        long memoryBytes,
        String kernel,
        double load,
        String javaVersion,
        String criuVersion,
        String apptainerVersion,
        String sshVersion) {
    private static final Duration PROGRAM = Duration.ofSeconds(20);

    /** Runs a program on the node that is measured. */
    @FunctionalInterface
    public interface Node {
        /** Its outputs, one after the other. */
        String run(List<String> command) throws Problem, InterruptedException;
    }

    /** This one. */
    public static Machine here() throws Problem, InterruptedException {
        return of(command -> {
            Command.Result result = Command.of(command).run(PROGRAM);
            return result.out() + result.err();
        });
    }

    /** This one; the programs are those of a node on it. */
    public static Machine of(Node node) throws Problem, InterruptedException {
        try {
            return new Machine(
                    Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
                    line("/proc/cpuinfo", "model name\\s*: (.*)"),
                    Runtime.getRuntime().availableProcessors(),
                    Long.parseLong(line("/proc/meminfo", "MemTotal:\\s*(\\d+) kB")) << 10,
                    line("/proc/sys/kernel/osrelease", "(.*)"),
                    Double.parseDouble(line("/proc/loadavg", "(\\S+) .*")),
                    Runtime.version().toString(),
                    version(node, "criu", "--version"),
                    version(node, "apptainer", "--version"),
                    version(node, "ssh", "-V"));
        } catch (IOException e) {
            throw Problem.failed("this machine is not known").because(e.toString());
        }
    }

    private static String line(String file, String form) throws IOException {
        Matcher found =
                Pattern.compile("^" + form + "$", Pattern.MULTILINE)
                        .matcher(Files.readString(Path.of(file)));
        return found.find() ? found.group(1).strip() : "0";
    }

    private static String version(Node node, String program, String option)
            throws InterruptedException {
        try {
            String said = node.run(List.of(program, option));
            Matcher number = Pattern.compile("\\d+\\.\\d[\\w.+~-]*").matcher(said);
            return number.find() ? number.group() : "";
        } catch (Problem e) {
            return "";
        }
    }

    /** In a line. */
    public String text() {
        return "%s; %s, %d cores, Linux %s, Java %s; load %.1f at the beginning"
                .formatted(time, processor, cores, kernel, javaVersion, load);
    }
}
