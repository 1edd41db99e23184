package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;

import com.fasterxml.jackson.databind.JsonNode;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;

/**
 * The job of a case, one instance with three witnesses in it: tally (never two, never lost),
 * pattern (every page) and converse (its connection).
 */
final class FaultJob {
    static final String NAME = "job";
    private static final int MEGABYTES = 64;
    private static final String TALK = TwoNodes.directory(NAME) + "/talk";
    private static final String COMMAND =
            "/shared/bin/tally --file /shared/%s & /shared/bin/converse --interval-ms 5 --report %s"
                    + " & exec /shared/bin/pattern --mb %d --rate 10 --threads 2 --report %s";

    /**
     * The kernel goes on repeating what a standing job had sent, at ever longer intervals, and the
     * lock drops it: after 30 s the next attempt may be half a minute off.
     */
    private static final long TALK_AGAIN_MILLIS = 45_000;

    private static final long SILENCE_MILLIS = 1000;

    private final TwoNodes nodes;
    private final Tally tally;

    /** A second cgroup for a job that is not to fit into one. */
    private static final String SPREAD =
            "mkdir /sys/fs/cgroup/spread && for pid in $(pgrep -x converse); do"
                    + " echo $pid >/sys/fs/cgroup/spread/cgroup.procs; done";

    private final boolean spread;

    private FaultJob(TwoNodes nodes, Tally tally, boolean spread) {
        this.nodes = nodes;
        this.spread = spread;
        this.tally = tally;
    }

    /**
     * Starts it on n1 and returns when all three are at work.
     *
     * @param spread over two cgroups, so that it cannot be sealed by freezing one
     */
    static FaultJob start(TwoNodes nodes, boolean spread) throws Exception {
        Tally tally = new Tally(nodes.shared().resolve("tally-fault"));
        Files.deleteIfExists(tally.file());
        String report = TwoNodes.report(NAME);
        String line = COMMAND.formatted(tally.file().getFileName(), TALK, MEGABYTES, report);
        nodes.start(N1, NAME, List.of(), "sh", "-c", line);
        nodes.awaitFile(N1, report);
        nodes.awaitFile(N1, TALK);
        if (spread) {
            nodes.bash(N1, SPREAD);
        }
        return new FaultJob(nodes, tally, spread);
    }

    Tally tally() {
        return tally;
    }

    /** Ends it on n2, and what it left on n1 of its own making. */
    void stopOnTarget() throws Exception {
        nodes.stop(TwoNodes.N2, NAME);
        if (spread) {
            nodes.bash(N1, "rmdir /sys/fs/cgroup/spread");
        }
    }

    /** What is wrong with its memory; it has to run on that node. */
    List<String> verify(String node) {
        List<String> wrong = new ArrayList<>();
        try {
            JsonNode report = nodes.verify(node, NAME);
            int pages = report.path("pages").asInt();
            if (pages != MEGABYTES * 256) {
                wrong.add("pattern has " + pages + " pages");
            }
        } catch (Exception | AssertionError e) {
            wrong.add("pattern: " + e.getMessage());
        }
        return wrong;
    }

    /** {@code alive}, or what is wrong with its connection. */
    String connection(String node) throws Exception {
        long end = System.nanoTime() + TALK_AGAIN_MILLIS * 1_000_000;
        String said;
        do {
            said = connectionNow(node);
            if (!said.startsWith("silent")) {
                return said;
            }
            Thread.sleep(500);
        } while (System.nanoTime() < end);
        return said;
    }

    private String connectionNow(String node) throws Exception {
        try {
            long pid = Long.parseLong(nodes.out(node, "pgrep", "-o", "-x", "converse"));
            JsonNode report = nodes.report(node, TALK, pid, "USR2");
            double silent = report.path("silentMillis").asDouble();
            if (!report.path("ok").asBoolean()) {
                return "broken: %s wrong, %s"
                        .formatted(report.path("wrong").asText(), report.path("errorTexts"));
            }
            return silent < SILENCE_MILLIS ? "alive" : "silent for " + silent + " ms";
        } catch (AssertionError e) {
            return "dead: " + e.getMessage().lines().findFirst().orElse("");
        }
    }
}
