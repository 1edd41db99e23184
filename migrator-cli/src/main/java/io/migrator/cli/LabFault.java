package io.migrator.cli;

import io.migrator.fault.FaultAction;
import io.migrator.fault.FaultPlan;
import io.migrator.fault.FaultPoint;
import io.migrator.lab.Lab;
import io.migrator.linux.Command;
import io.migrator.problem.Problem;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code migrator lab fault}: arms faults on the lab's nodes. What is armed on a node is in its
 * /etc/migrator-fault, which the node's migrator reads when it starts; who is held says so in
 * /run/migrator-fault (io.migrator.fault).
 */
final class LabFault {
    private static final Duration PROGRAM = Duration.ofSeconds(20);
    private static final int AWAIT_SECONDS = 30;
    private static final List<String> NODES = List.of("n1", "n2", "n3");

    private static final String READ = "cat /etc/migrator-fault 2>/dev/null; true";

    private static final String WRITE =
            """
            set -e
            if [ -L /usr/local/bin/migrator ]; then
                echo 'this node was started by an older lab: migrator lab down, then lab up' >&2
                exit 1
            fi
            mkdir -p -m 1777 /run/migrator-fault
            printf '%s\\n' "$1" >/etc/migrator-fault.new
            mv /etc/migrator-fault.new /etc/migrator-fault
            """;

    /** What was held goes on; the memory file system gets its size back. */
    private static final String CLEAR =
            """
            rm -rf /etc/migrator-fault /run/migrator-fault /dev/shm/migrator-fault-fill
            for pid in $(ps -eo pid=,args= | awk '/# migrator-faul[t]$/ { print $1 }'); do
                kill -KILL -"$pid" 2>/dev/null
            done
            mount -o remount,size=50% /dev/shm
            ip link set eth0 up
            """;

    private static final String AWAIT =
            """
            for i in $(seq $(($2 * 50))); do
                [ ! -s "/run/migrator-fault/$1" ] || exec cat "/run/migrator-fault/$1"
                sleep 0.02
            done
            exit 1
            """;

    private static final String RELEASE = "rm \"/run/migrator-fault/$1\"";

    private final Lab lab;
    private final PrintWriter out;

    LabFault(Lab lab, PrintWriter out) {
        this.lab = lab;
        this.out = out;
    }

    /**
     * Runs the words that follow {@code lab fault}.
     *
     * @return the exit code
     */
    int run(List<String> words) throws Problem, InterruptedException {
        String verb = words.isEmpty() ? "" : words.getFirst();
        List<String> rest = words.subList(Math.min(1, words.size()), words.size());
        switch (verb + " " + rest.size()) {
            case "list 0" -> list();
            case "arm 3" -> arm(node(rest.get(0)), point(rest.get(1)), rest.get(2));
            case "clear 0" -> clear(List.of("n1", "n2"));
            case "clear 1" -> clear(List.of(node(rest.getFirst())));
            case "await 2" -> await(node(rest.get(0)), point(rest.get(1)), AWAIT_SECONDS);
            case "await 3" -> await(node(rest.get(0)), point(rest.get(1)), seconds(rest.get(2)));
            case "release 2" -> release(node(rest.get(0)), point(rest.get(1)));
            default ->
                    throw Problem.usage("not understood: lab fault " + String.join(" ", words))
                            .tryThis("migrator lab --help");
        }
        return 0;
    }

    private void list() {
        out.println("Points:");
        for (FaultPoint point : FaultPoint.values()) {
            out.printf("  %-20s %s%n", point.text(), point.description());
        }
        out.println("Actions:");
        FaultAction.FORMS.forEach(form -> out.println("  " + form));
    }

    private void arm(String node, FaultPoint point, String action)
            throws Problem, InterruptedException {
        FaultAction parsed = FaultAction.parse(action);
        FaultPlan armed = FaultPlan.parse(on(node, READ).orFail("cannot read").out());
        String plan = armed.with(point, parsed).text();
        on(node, WRITE, plan).orFail("the fault could not be armed on " + node);
        out.println(node + ": " + plan);
    }

    private void clear(List<String> nodes) throws Problem, InterruptedException {
        for (String node : nodes) {
            on(node, CLEAR).orFail("the faults of " + node + " could not be cleared");
        }
    }

    private void await(String node, FaultPoint point, int seconds)
            throws Problem, InterruptedException {
        Command.Result held =
                lab.exec(
                        PROGRAM.plusSeconds(seconds),
                        node,
                        script(AWAIT, point.text(), String.valueOf(seconds)));
        if (!held.ok()) {
            throw Problem.failed("nobody is held on %s at %s".formatted(node, point.text()))
                    .because("none came within " + seconds + " s")
                    .tryThis("migrator lab fault arm " + node + " " + point.text() + " hold");
        }
        out.println(held.out().strip());
    }

    private void release(String node, FaultPoint point) throws Problem, InterruptedException {
        on(node, RELEASE, point.text())
                .orFail("nobody is held on %s at %s".formatted(node, point.text()));
    }

    private Command.Result on(String node, String script, String... arguments)
            throws Problem, InterruptedException {
        return lab.exec(PROGRAM, node, script(script, arguments));
    }

    private static List<String> script(String script, String... arguments) {
        List<String> words = new ArrayList<>(List.of("sh", "-c", script, "sh"));
        words.addAll(List.of(arguments));
        return words;
    }

    private static String node(String text) throws Problem {
        if (!NODES.contains(text)) {
            throw Problem.usage("no such node: " + text)
                    .because("nodes are " + String.join(", ", NODES));
        }
        return text;
    }

    private static FaultPoint point(String text) throws Problem {
        return FaultPlan.point(text);
    }

    private static int seconds(String text) throws Problem {
        if (!text.matches("[0-9]{1,4}")) {
            throw Problem.usage("'" + text + "' is no number of seconds");
        }
        return Integer.parseInt(text);
    }
}
