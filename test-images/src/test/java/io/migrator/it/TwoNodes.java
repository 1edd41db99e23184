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

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The lab's nodes n1 and n2, swept before and after each test, with what tests do on them as root.
 * The lab is brought up once and stays up; which one it is, MIGRATOR_LAB_DIR says. One thread,
 * except {@link #run} and {@link #migrate}.
 */
final class TwoNodes implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback {
    static final String N1 = "n1";
    static final String N2 = "n2";
    static final List<String> BOTH = List.of(N1, N2);

    /** In /shared, so the same on both nodes. */
    static final String IMAGE = "/shared/images/base.sif";

    /** Longer than a target that was cut off takes to clean itself. */
    static final Duration CLEAN = Duration.ofSeconds(40);

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

    private final Map<String, Snapshot> before = new HashMap<>();
    private Lab lab;

    @Override
    public void beforeAll(ExtensionContext context) throws Exception {
        String dist = System.getProperty("migrator.dist");
        Assumptions.assumeTrue(dist != null, "lab tests skipped: -Dmigrator.dist is not set");
        Assumptions.assumeTrue(
                "root".equals(System.getProperty("user.name")),
                "lab tests skipped: a lab needs root");
        lab = Lab.of(Path.of(dist));
        lab.up();
    }

    @Override
    public void beforeEach(ExtensionContext context) throws Exception {
        sweep();
        for (String node : BOTH) {
            before.put(node, snapshot(node));
        }
    }

    @Override
    public void afterEach(ExtensionContext context) throws Exception {
        sweep();
    }

    private void sweep() throws Exception {
        for (String node : BOTH) {
            link(node, "up");
            link(node, "rate", "none");
            run(node, "bash", "-c", Sweep.LINE);
        }
    }

    static String other(String node) {
        return node.equals(N1) ? N2 : N1;
    }

    /** Runs a program on a node. */
    Command.Result run(String node, String... words) throws Problem, InterruptedException {
        return run(PROGRAM, node, words);
    }

    /** The same for a program that may take so long. */
    Command.Result run(Duration limit, String node, String... words)
            throws Problem, InterruptedException {
        return lab.exec(limit, node, List.of(words));
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

    /** {@code lab link}. */
    void link(String node, String... words) throws Problem, InterruptedException {
        List<String> argv = new ArrayList<>(List.of("link", node));
        argv.addAll(List.of(words));
        assertEquals(0, lab.run(argv), () -> "lab " + argv);
    }

    /** The folder on this machine that is /shared on the nodes. */
    Path shared() throws Problem, InterruptedException {
        return lab.shared();
    }

    /** Where the payload of an instance keeps its files, on whatever node it is. */
    static String directory(String name) {
        return "/root/.migrator/runs/" + name;
    }

    /** The report of a payload that was started with {@code --report} and this path. */
    static String report(String name) {
        return directory(name) + "/report";
    }

    /** {@code migrator run} with /shared in view. */
    void start(String node, String name, List<String> options, String... command)
            throws Problem, InterruptedException {
        List<String> words = new ArrayList<>(List.of("migrator", "run", "--bind", "/shared"));
        words.addAll(options);
        boolean hasImage = options.stream().anyMatch(option -> option.endsWith(".sif"));
        if (!hasImage) {
            words.add(IMAGE);
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
                                report(name)));
        command.addAll(List.of(options));
        start(node, name, start, command.toArray(String[]::new));
        awaitFile(node, report(name));
    }

    /** Waits until a file is there and not empty. */
    void awaitFile(String node, String path) throws Problem, InterruptedException {
        bash(node, "for _ in {1..400}; do [[ -s " + path + " ]] && exit; sleep 0.05; done; exit 9");
    }

    /** {@code migrator migrate --to the other node}. */
    Moved migrate(String node, String name, String... options)
            throws Problem, InterruptedException {
        return migrateTo(node, name, other(node), options);
    }

    /** {@code migrator migrate}. */
    Moved migrateTo(String node, String name, String to, String... options)
            throws Problem, InterruptedException {
        return move("migrate", node, name, to, options);
    }

    /** {@code migrator rehearse --to the other node}. */
    Moved rehearse(String node, String name) throws Problem, InterruptedException {
        return move("rehearse", node, name, other(node));
    }

    private Moved move(String verb, String node, String name, String to, String... options)
            throws Problem, InterruptedException {
        List<String> words = new ArrayList<>(List.of("bash", "-c", WATCHED, "bash"));
        words.addAll(List.of(verb, name, "--to", to, "--json"));
        words.addAll(List.of(options));
        Command.Result result = lab.exec(MIGRATION, node, words);
        return new Moved(result.exit(), json(result.out()), result.err());
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

    /** The payload's first process, by its pid on the node. */
    long payload(String node, String name) throws Problem, InterruptedException {
        String record = "/root/.apptainer/instances/app/" + node + "/root/" + name + "/" + name;
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
        return report(node, report(name), payload(node, name), signal);
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
        for (String each : BOTH) {
            out(each, "rm", "-rf", directory(name), directory(name) + ".previous");
        }
    }

    Snapshot snapshot(String node) throws Problem, InterruptedException {
        return new Snapshot(out(node, Snapshot.command().toArray(String[]::new)));
    }

    /** A node as it was before the test. */
    Snapshot before(String node) {
        return before.get(node);
    }

    /** Waits until a node is as it was before the test. */
    void assertAsBefore(String node) throws Problem, InterruptedException {
        assertAs(node, before.get(node));
    }

    /** Waits until a node is as it was. */
    void assertAs(String node, Snapshot earlier) throws Problem, InterruptedException {
        long end = System.nanoTime() + CLEAN.toNanos();
        Snapshot now = snapshot(node);
        while (!now.equals(earlier) && System.nanoTime() < end) {
            Thread.sleep(250);
            now = snapshot(node);
        }
        String difference = earlier.difference(now);
        assertEquals("", difference, "left on " + node);
        assertEquals(earlier, now);
    }
}
