package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;

import com.fasterxml.jackson.databind.JsonNode;

import java.util.ArrayList;
import java.util.List;

/**
 * The job of a case, one instance with three witnesses in it: tally (never two, never lost),
 * pattern (every page) and converse (its connection; not that of an ordinary user, who may have
 * none). One that is started with an address of its own has a fourth, a server for another machine.
 */
final class FaultJob {
    static final String NAME = "job";
    private static final int MEGABYTES = 64;
    private static final String COMMAND =
            "/shared/bin/tally --file /shared/it/tally & %s %s"
                    + " exec /shared/bin/pattern --mb %d --rate 10 --threads 2 --report %s";

    private static final String TALKER = "/shared/bin/converse --interval-ms 5 --report %s &";

    /** Its address, for {@code --service-ip}. */
    static final String ADDRESS = "10.77.0.103";

    /** Options of {@code migrator run} with which it is started with that fourth program. */
    static final List<String> SERVICE = List.of("--service-ip", ADDRESS + "/24@eth0");

    static final List<String> OWN_NETWORK =
            List.of("--service-ip", ADDRESS + "/24@eth0", "--net", "own");

    private static final String SERVER =
            "/shared/bin/stream server --port 7000 --bind %s --report %s &";

    /**
     * The kernel goes on repeating what a standing job had sent, at ever longer intervals, and the
     * lock drops it: after 30 s the next attempt may be half a minute off.
     */
    private static final long TALK_AGAIN_MILLIS = 45_000;

    private static final long SILENCE_MILLIS = 1000;

    private final TwoNodes nodes;
    private final Person person;
    private final Tally tally;

    /** A second cgroup for a job that is not to fit into one. */
    private static final String SPREAD =
            "mkdir /sys/fs/cgroup/spread && for pid in $(pgrep -x converse); do"
                    + " echo $pid >/sys/fs/cgroup/spread/cgroup.procs; done";

    private final boolean spread;
    private Outside client;

    private FaultJob(TwoNodes nodes, Person person, Tally tally, boolean spread) {
        this.nodes = nodes;
        this.person = person;
        this.spread = spread;
        this.tally = tally;
    }

    /**
     * Starts it on n1 and returns when all three are at work.
     *
     * @param spread over two cgroups, so that it cannot be sealed by freezing one
     */
    static FaultJob start(TwoNodes nodes, FaultWay way, boolean spread) throws Exception {
        Person person = way.person(nodes);
        nodes.bash(N1, "mkdir -p -m 1777 /shared/it && rm -f /shared/it/tally");
        FaultJob job =
                new FaultJob(nodes, person, new Tally(nodes.shared().resolve("it/tally")), spread);
        String report = person.reportOf(NAME);
        boolean serves = way.runs().contains("--service-ip");
        String line =
                COMMAND.formatted(
                        way.ofRoot() ? TALKER.formatted(job.talk()) : "",
                        serves ? SERVER.formatted(ADDRESS, job.server()) : "",
                        MEGABYTES,
                        report);
        person.start(N1, NAME, way.runs(), "sh", "-c", line);
        person.awaitFile(N1, report);
        if (way.ofRoot()) {
            person.awaitFile(N1, job.talk());
        }
        if (serves) {
            person.awaitFile(N1, job.server());
            job.client =
                    Outside.start(
                            nodes,
                            "stream",
                            "client",
                            "--to",
                            ADDRESS + ":7000",
                            "--rate-kb",
                            "4096");
        }
        if (spread) {
            nodes.bash(N1, SPREAD);
        }
        return job;
    }

    private String talk() {
        return person.directoryOf(NAME) + "/talk";
    }

    private String server() {
        return person.directoryOf(NAME) + "/server";
    }

    /** Ends what is not in the instance. */
    void endClient() throws Exception {
        if (client != null) {
            client.close();
        }
    }

    Tally tally() {
        return tally;
    }

    /** Ends it on n2, and what it left on n1 of its own making. */
    void stopOnTarget() throws Exception {
        person.stop(TwoNodes.N2, NAME);
        if (client != null) {
            nodes.bash(TwoNodes.N2, "ip address del " + ADDRESS + "/24 dev eth0 ||:");
        }
        if (spread) {
            nodes.bash(N1, "rmdir /sys/fs/cgroup/spread");
        }
    }

    /** What is wrong with its memory; it has to run on that node. */
    List<String> verify(String node) {
        List<String> wrong = new ArrayList<>();
        try {
            JsonNode report = person.verify(node, NAME);
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
            JsonNode report = nodes.report(node, talk(), pid, "USR2");
            double silent = report.path("silentMillis").asDouble();
            if (client != null) {
                JsonNode far = client.report();
                if (far.path("errors").asLong() + far.path("lost").asLong() > 0) {
                    return "broken: " + far;
                }
                silent = Math.max(silent, far.path("silentMillis").asDouble());
            }
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
