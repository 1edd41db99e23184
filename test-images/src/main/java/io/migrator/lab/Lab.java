package io.migrator.lab;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import io.migrator.linux.Command;
import io.migrator.linux.NativeParts;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The lab's script, called. Needs root. Any thread.
 *
 * @param script {@code lab/lab} of a distribution
 * @param home the distribution that the nodes get on their PATH
 */
public record Lab(Path script, Path home) {
    private static final Duration SETUP = Duration.ofMinutes(15);
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The lab of the distribution that runs. */
    public static Lab ofThisDistribution() throws Problem {
        return of(NativeParts.home());
    }

    /** The lab of a distribution. */
    public static Lab of(Path home) {
        return new Lab(home.resolve("lab/lab"), home);
    }

    /**
     * Runs a word of the script with this process's own standard streams.
     *
     * @return its exit status
     */
    public int run(List<String> words) throws Problem, InterruptedException {
        List<String> argv = argv();
        argv.addAll(words);
        try {
            return new ProcessBuilder(argv).inheritIO().start().waitFor();
        } catch (IOException e) {
            throw Problem.failed("the lab's script does not start")
                    .because(e.getMessage())
                    .causedBy(e);
        }
    }

    /** Makes sure that both nodes are up, with the distribution of this lab. */
    public void up() throws Problem, InterruptedException {
        List<String> argv = argv();
        argv.add("up");
        Command.of(argv).run(SETUP).orFail("the lab could not be set up");
    }

    /** Runs a program on a node as root. */
    public Command.Result exec(Duration deadline, String node, List<String> words)
            throws Problem, InterruptedException {
        return exec(deadline, "root", node, words);
    }

    /** The same as another user. */
    public Command.Result exec(Duration deadline, String user, String node, List<String> words)
            throws Problem, InterruptedException {
        List<String> argv = argv();
        argv.addAll(List.of("exec", "--user", user, node, "--"));
        argv.addAll(words);
        return Command.of(argv).run(deadline);
    }

    /** The folder that is /shared on every node. */
    public Path shared() throws Problem, InterruptedException {
        return Path.of(status().path("shared").asText());
    }

    /** What {@code lab status --json} says. */
    public JsonNode status() throws Problem, InterruptedException {
        List<String> argv = argv();
        argv.addAll(List.of("status", "--json"));
        try {
            return JSON.readTree(
                    Command.of(argv)
                            .run(Duration.ofSeconds(20))
                            .orFail("the lab does not tell its state")
                            .out());
        } catch (IOException e) {
            throw Problem.failed("the lab does not tell its state")
                    .because(e.getMessage())
                    .causedBy(e);
        }
    }

    private List<String> argv() {
        return new ArrayList<>(
                List.of(
                        "env",
                        "MIGRATOR_HOME=" + home,
                        "MIGRATOR_PAYLOADS=" + home.resolve("lab/payload"),
                        script.toString()));
    }
}
