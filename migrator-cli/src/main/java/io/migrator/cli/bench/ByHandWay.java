package io.migrator.cli.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;

import io.migrator.problem.Problem;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** criu, tar and ssh, by the script {@code by-hand.sh}. Needs root. Used by one thread. */
final class ByHandWay implements Way {
    private static final double NANOS_PER_MILLI = 1e6;

    /** Which of its ways. */
    enum How {
        /** All of the memory while the payload stands still, by files in memory. */
        STOP("move", false),
        /** The same by files on disks. */
        DISK("move", true),
        /** The memory goes straight into the target's, by criu's page server. */
        PAGE_SERVER("page-server", false),
        /** When it runs on the target (post-copy). */
        LAZY("lazy", false);

        private final String verb;
        private final boolean onDisk;

        How(String verb, boolean onDisk) {
            this.verb = verb;
            this.onDisk = onDisk;
        }
    }

    private final How how;
    private final Site site;
    private final String service;
    private final Script script;
    private String appinit = "";

    /**
     * Puts the script where both nodes see it.
     *
     * @param keepsConnections whether the service address moves along
     */
    ByHandWay(How how, Site site, boolean keepsConnections) throws Problem {
        this.how = how;
        this.site = site;
        this.service = keepsConnections ? site.service() : "";
        this.script = Script.at(site, "by-hand.sh");
    }

    @Override
    public void start(Payload payload, List<String> options, List<String> words)
            throws Problem, InterruptedException {
        List<String> run = new ArrayList<>(List.of("migrator", "run"));
        run.addAll(options);
        run.addAll(List.of("--bind", site.common(), site.image(), payload.name(), "--"));
        run.addAll(words);
        site.exec(site.source(), run).orFail("the payload could not be started");
    }

    @Override
    public void prepare(Payload payload) throws Problem, InterruptedException {
        String pids = call(site.source(), "pids", payload);
        appinit = call(site.target(), "prepare", payload, site.image(), pids, site.common());
    }

    @Override
    public Told move(Payload payload) throws Problem, InterruptedException {
        long start = System.nanoTime();
        String printed = call(site.source(), how.verb, payload, site.target(), appinit, service);
        double total = (System.nanoTime() - start) / NANOS_PER_MILLI;
        try {
            JsonNode told = Results.JSON.readTree(printed);
            Map<String, Double> phases = new LinkedHashMap<>();
            for (String step : List.of("dump", "copy", "restore")) {
                phases.put(step, told.path(step).asDouble());
            }
            double sum = phases.values().stream().mapToDouble(Double::doubleValue).sum();
            return new Told(sum, total, phases, null);
        } catch (JsonProcessingException e) {
            throw Problem.failed("by-hand.sh printed nonsense").because(printed);
        }
    }

    @Override
    public void clean(Payload payload) throws Problem, InterruptedException {
        try {
            call(site.target(), "clean", payload, service);
        } finally {
            call(site.source(), "clean", payload, service);
        }
    }

    private String call(String node, String action, Payload payload, String... more)
            throws Problem, InterruptedException {
        List<String> words = new ArrayList<>(List.of(action, payload.name()));
        words.addAll(List.of(more));
        return script.call(node, how.onDisk ? "/var/tmp" : "/dev/shm", words);
    }
}
