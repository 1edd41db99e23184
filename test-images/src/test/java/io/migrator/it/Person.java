package io.migrator.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;

import io.migrator.lab.Lab;
import io.migrator.linux.Command;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A user of the nodes, and what he does there. One thread, except {@link #run} and {@link
 * #migrate}.
 */
abstract class Person {
    private static final Duration PROGRAM = Duration.ofSeconds(30);
    private static final Duration MIGRATION = Duration.ofSeconds(120);
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The shell stays: nsenter stops for good with a child that is stopped. */
    private static final String WATCHED = "migrator \"$@\"; exit $?";

    /** Asks the first process of an instance for a report, by a signal, and prints the next one. */
    private static final String REPORT =
            """
            set -u
            file=$1 pid=$2 signal=$3
            seq() { grep -o '"seq":[0-9]*' "$file"; }
            before=$(seq)
            kill -s "$signal" "$pid" || exit 1
            for _ in {1..500}; do
                if [[ $(seq) != "$before" ]]; then
                    cat "$file"
                    exit 0
                fi
                sleep 0.05
            done
            echo "no report from process $pid in $file: $(ps -o stat=,args= -p "$pid")" >&2
            exit 1
            """;

    private final String user;
    private final String home;

    Person(String user, String home) {
        this.user = user;
        this.home = home;
    }

    abstract Lab lab();

    /** Where the payload of an instance of his keeps its files, on whatever node it is. */
    String directoryOf(String name) {
        return home + "/.migrator/runs/" + name;
    }

    /** The report of a payload that was started with {@code --report} and this path. */
    String reportOf(String name) {
        return directoryOf(name) + "/report";
    }

    /** Runs a program on a node. */
    Command.Result run(String node, String... words) throws Problem, InterruptedException {
        return run(PROGRAM, node, words);
    }

    /** The same for a program that may take so long. */
    Command.Result run(Duration limit, String node, String... words)
            throws Problem, InterruptedException {
        return lab().exec(limit, user, node, List.of(words));
    }

    /** Runs a program on a node that has to exit 0; returns its output without blanks around it. */
    String out(String node, String... words) throws Problem, InterruptedException {
        Command.Result result = run(node, words);
        assertEquals(0, result.exit(), () -> String.join(" ", words) + ": " + result.err());
        return result.out().strip();
    }

    /** Runs a line of bash on a node that has to exit 0; returns its output. */
    String bash(String node, String line) throws Problem, InterruptedException {
        return out(node, "bash", "-c", line);
    }

    /** {@code migrator run} with /shared in view. */
    void start(String node, String name, List<String> options, String... command)
            throws Problem, InterruptedException {
        List<String> words = new ArrayList<>(List.of("migrator", "run", "--bind", "/shared"));
        words.addAll(options);
        boolean hasImage =
                !options.isEmpty()
                        && options.getLast().startsWith("/")
                        && !options.getLast().contains(":"); // which would be a bind
        if (!hasImage) {
            words.add(TwoNodes.IMAGE);
        }
        words.addAll(List.of(name, "--"));
        words.addAll(List.of(command));
        out(node, words.toArray(String[]::new));
    }

    /** Starts {@code pattern} and waits until its memory is filled. */
    void startPattern(String node, String name, int megabytes, String... options)
            throws Problem, InterruptedException {
        startPattern(node, name, List.of(), megabytes, options);
    }

    /** The same with options of {@code migrator run}; an image may be the last of them. */
    void startPattern(
            String node, String name, List<String> start, int megabytes, String... options)
            throws Problem, InterruptedException {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "/shared/bin/pattern",
                                "--mb",
                                String.valueOf(megabytes),
                                "--report",
                                reportOf(name)));
        command.addAll(List.of(options));
        start(node, name, start, command.toArray(String[]::new));
        awaitFile(node, reportOf(name));
    }

    /** Waits until a file is there and not empty. */
    void awaitFile(String node, String path) throws Problem, InterruptedException {
        bash(node, "for _ in {1..400}; do [[ -s " + path + " ]] && exit; sleep 0.05; done; exit 9");
    }

    /** {@code migrator migrate --to the other node}. */
    Moved migrate(String node, String name, String... options)
            throws Problem, InterruptedException {
        return migrateTo(node, name, TwoNodes.other(node), options);
    }

    /** {@code migrator migrate}. */
    Moved migrateTo(String node, String name, String to, String... options)
            throws Problem, InterruptedException {
        return move("migrate", node, name, to, options);
    }

    /** {@code migrator rehearse --to the other node}. */
    Moved rehearse(String node, String name, String... options)
            throws Problem, InterruptedException {
        return move("rehearse", node, name, TwoNodes.other(node), options);
    }

    private Moved move(String verb, String node, String name, String to, String... options)
            throws Problem, InterruptedException {
        List<String> all = new ArrayList<>(List.of(verb, name, "--to", to));
        all.addAll(List.of(options));
        return told(node, all.toArray(String[]::new));
    }

    /** {@code migrator ... --json}. */
    Moved told(String node, String... command) throws Problem, InterruptedException {
        List<String> words = new ArrayList<>(List.of("bash", "-c", WATCHED, "bash"));
        words.addAll(List.of(command));
        words.add("--json");
        Command.Result result = lab().exec(MIGRATION, user, node, words);
        return new Moved(result.exit(), json(lastLine(result.out())), result.err());
    }

    private static String lastLine(String text) {
        return text.lines().reduce("", (before, line) -> line);
    }

    private static JsonNode json(String text) {
        try {
            return text.isBlank() ? MissingNode.getInstance() : JSON.readTree(text);
        } catch (IOException e) {
            return fail("not JSON: " + text, e);
        }
    }

    /** {@code migrator ls --json}, what it says of one instance; a missing node if nothing. */
    JsonNode listed(String node, String name) throws Problem, InterruptedException {
        for (JsonNode each : json(out(node, "migrator", "ls", "--json")).path("instances")) {
            if (each.path("name").asText().equals(name)) {
                return each;
            }
        }
        return MissingNode.getInstance();
    }

    /** {@code migrator check --to the other node --json}. */
    JsonNode checked(String node, String name) throws Problem, InterruptedException {
        return json(
                run(node, "migrator", "check", name, "--to", TwoNodes.other(node), "--json").out());
    }

    /** The payload's first process, by its pid on the node. */
    long payload(String node, String name) throws Problem, InterruptedException {
        String record =
                home + "/.apptainer/instances/app/" + node + "/" + user + "/" + name + "/" + name;
        String pid =
                bash(
                        node,
                        "appinit=$(grep -o '\"pid\":[0-9]*' %s.json | cut -d: -f2);"
                                        .formatted(record)
                                + " ps -o pid= --ppid $appinit | head -n 1");
        assertTrue(!pid.isEmpty(), () -> "no payload in " + name + " on " + node);
        return Long.parseLong(pid);
    }

    /** Sends a signal to the payload's first process and returns the report that it writes. */
    JsonNode report(String node, String name, String signal) throws Problem, InterruptedException {
        return report(node, reportOf(name), payload(node, name), signal);
    }

    /** A report that a payload has written by itself. */
    JsonNode reported(String node, String file) throws Problem, InterruptedException {
        return json(out(node, "cat", file));
    }

    /** Sends a signal to a process and returns the report that it writes. */
    JsonNode report(String node, String file, long pid, String signal)
            throws Problem, InterruptedException {
        String text = out(node, "bash", "-c", REPORT, "bash", file, String.valueOf(pid), signal);
        return json(text);
    }

    /** Lets {@code pattern} check every page, on the node where it has to be. */
    JsonNode verify(String node, String name) throws Problem, InterruptedException {
        JsonNode report = report(node, name, "USR2");
        assertTrue(report.path("verified").asBoolean(), report::toString);
        assertEquals(0, report.path("bad").asInt(), report::toString);
        assertEquals(0, report.path("clockStepsBack").asInt(), report::toString);
        assertEquals(node, report.path("node").asText(), report::toString);
        return report;
    }

    /** Ends an instance as a user would and removes what its payload wrote. */
    void stop(String node, String name) throws Problem, InterruptedException {
        out(node, "apptainer", "instance", "stop", name);
        for (String each : TwoNodes.BOTH) {
            out(each, "rm", "-rf", directoryOf(name), directoryOf(name) + ".previous");
        }
    }
}
