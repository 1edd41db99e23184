package io.migrator.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;

import io.migrator.lab.Lab;
import io.migrator.linux.Command;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * The job of the demo: an instance on a lab node that holds memory whose every page can be checked
 * and a TCP connection to itself whose every record is. It reports into a directory that all nodes
 * share. One thread.
 */
final class DemoJob {
    /** Of its memory, in the payload's megabytes of 1024 * 1024 bytes. */
    static final int MEGABYTES = 512;

    private static final String NAME = "demo";
    private static final String IMAGE = "/shared/images/base.sif";
    private static final String PAYLOADS =
            """
            cd /shared/demo
            /shared/bin/stream server --port 45187 --bind 127.0.0.1 --report server.json &
            /shared/bin/stream client --to 127.0.0.1:45187 --report client.json &
            exec /shared/bin/pattern --mb %d --rate 50 --threads 2 --report pattern.json
            """
                    .formatted(MEGABYTES);

    private static final Duration PROGRAM = Duration.ofSeconds(60);
    private static final Duration MIGRATION = Duration.ofMinutes(5);
    private static final Duration REPORT = Duration.ofSeconds(60);
    private static final long POLL_MILLIS = 20;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Lab lab;
    private final Path reports;

    /** What all three programs said at about the same time. */
    record Reports(JsonNode pattern, JsonNode client, JsonNode server) {}

    DemoJob(Lab lab) throws Problem, InterruptedException {
        this.lab = lab;
        this.reports = lab.shared().resolve("demo");
    }

    /** Starts it on a node and waits until it has filled its memory and is connected. */
    Reports start(String node) throws Problem, InterruptedException {
        try {
            Files.createDirectories(reports);
            for (String file : List.of("pattern.json", "client.json", "server.json")) {
                Files.deleteIfExists(reports.resolve(file));
            }
        } catch (IOException e) {
            throw Problem.failed("the demo's directory cannot be made").because(e.toString());
        }
        lab.exec(
                        PROGRAM,
                        node,
                        List.of(
                                "migrator",
                                "run",
                                "--bind",
                                "/shared",
                                IMAGE,
                                NAME,
                                "--",
                                "sh",
                                "-c",
                                PAYLOADS))
                .orFail("the demo's job could not be started");
        return new Reports(
                await("pattern.json", 0), await("client.json", 0), await("server.json", 0));
    }

    /** Lets all programs report, and measure their gaps anew from then. */
    Reports sample(String node) throws Problem, InterruptedException {
        return signalled(node, "pkill -USR1 -x 'pattern|stream'");
    }

    /** Lets the memory be verified page by page and all report. */
    Reports verify(String node) throws Problem, InterruptedException {
        return signalled(node, "pkill -USR2 -x pattern; pkill -USR1 -x stream");
    }

    private Reports signalled(String node, String command) throws Problem, InterruptedException {
        int pattern = sequence("pattern.json");
        int client = sequence("client.json");
        int server = sequence("server.json");
        lab.exec(
                        PROGRAM,
                        node,
                        List.of(
                                "apptainer",
                                "-q",
                                "exec",
                                "instance://" + NAME,
                                "sh",
                                "-c",
                                command))
                .orFail("the job cannot be asked for a report on " + node);
        return new Reports(
                await("pattern.json", pattern),
                await("client.json", client),
                await("server.json", server));
    }

    /** Moves it, by a command on the node where it runs. */
    Move migrate(String from, String to) throws Problem, InterruptedException {
        Command.Result result =
                lab.exec(
                        MIGRATION,
                        from,
                        List.of("migrator", "migrate", NAME, "--to", to, "--json"));
        JsonNode told = MissingNode.getInstance();
        try {
            told = JSON.readTree(result.out());
        } catch (JsonProcessingException e) {
            // its standard error says why
        }
        if (result.ok() && told.isObject()) {
            return Move.of(told);
        }
        JsonNode problem = told.path("problem");
        String what = problem.path("what").asText(result.complaint());
        String because = problem.path("because").asText();
        throw Problem.failed("the migration failed")
                .because(because.isEmpty() ? what : what + ": " + because)
                .tryThis(problem.path("try").asText());
    }

    /** Ends it on a node and removes its output; no complaint if it is not there. */
    void stop(String node) throws Problem, InterruptedException {
        Command.Result result =
                lab.exec(
                        PROGRAM,
                        node,
                        List.of("apptainer", "-q", "instance", "stop", "-s", "KILL", NAME));
        if (!result.ok() && !result.err().contains("no instance found")) {
            result.orFail("the demo's instance on " + node + " could not be stopped");
        }
        lab.exec(PROGRAM, node, List.of("sh", "-c", "rm -rf ~/.migrator/runs/" + NAME + "*"))
                .orFail("the demo's output on " + node + " could not be removed");
    }

    private int sequence(String file) {
        return read(file).path("seq").asInt();
    }

    private JsonNode await(String file, int after) throws Problem, InterruptedException {
        long end = System.nanoTime() + REPORT.toNanos();
        while (System.nanoTime() < end) {
            JsonNode report = read(file);
            if (report.path("seq").asInt() > after) {
                return report;
            }
            Thread.sleep(POLL_MILLIS);
        }
        throw Problem.failed("the demo's job does not answer")
                .because("no new " + reports.resolve(file));
    }

    /** Reports are replaced as a whole, so what is there can be read. */
    private JsonNode read(String file) {
        try {
            return JSON.readTree(Files.readAllBytes(reports.resolve(file)));
        } catch (IOException e) {
            return MissingNode.getInstance(); // not there yet
        }
    }
}
