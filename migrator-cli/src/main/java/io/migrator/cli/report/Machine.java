package io.migrator.cli.report;

import io.migrator.linux.Command;
import io.migrator.problem.Problem;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the figures were measured on.
 *
 * @param javaVersion of this program's own
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

    /** A node of ours. */
    public static Machine of(Node node) throws Problem, InterruptedException {
        String processors = node.run(List.of("cat", "/proc/cpuinfo"));
        String memory = node.run(List.of("cat", "/proc/meminfo"));
        String load = node.run(List.of("cat", "/proc/loadavg"));
        return new Machine(
                Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
                Pattern.compile("(?m)^model name\\s*: (.*)$")
                        .matcher(processors)
                        .results()
                        .map(model -> model.group(1))
                        .findFirst()
                        .orElse("unknown"),
                (int) Pattern.compile("(?m)^processor\\s*:").matcher(processors).results().count(),
                Long.parseLong(found(memory, "(?m)^MemTotal:\\s*(\\d+) kB$")) << 10,
                node.run(List.of("uname", "-r")).strip(),
                Double.parseDouble(found(load, "^(\\S+) ")),
                Runtime.version().toString(),
                version(node, "criu", "--version"),
                version(node, "apptainer", "--version"),
                version(node, "ssh", "-V"));
    }

    private static String found(String text, String form) throws Problem {
        Matcher found = Pattern.compile(form).matcher(text);
        if (!found.find()) {
            throw Problem.failed("the machine is not known").because("it lacks " + form);
        }
        return found.group(1).strip();
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
