package io.migrator.cli.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;

import io.migrator.problem.Problem;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code podman container checkpoint --export} and {@code restore --import}, by the script {@code
 * podman.sh}. Needs root. Used by one thread.
 */
final class PodmanWay implements Way {
    private static final double NANOS_PER_MILLI = 1e6;

    private static final List<String> PACKAGES =
            List.of("podman", "runc", "conmon", "netavark", "aardvark-dns", "iptables");

    private final Site site;
    private final Script script;

    private PodmanWay(Site site, Script script) {
        this.site = site;
        this.script = script;
    }

    /** Puts Podman and an image with the payload on both nodes. */
    static PodmanWay on(Site site) throws Problem, InterruptedException {
        site.install(PACKAGES);
        PodmanWay way = new PodmanWay(site, Script.at(site, "podman.sh"));
        way.call(site.source(), "image", site.programs(), site.target());
        return way;
    }

    @Override
    public void start(Payload payload, List<String> options, List<String> words)
            throws Problem, InterruptedException {
        if (!options.isEmpty()) {
            throw Problem.failed("Podman does not take connections along")
                    .because("its containers get another address on the target");
        }
        List<String> all = new ArrayList<>(List.of("run", payload.name(), site.common()));
        all.addAll(words);
        call(site.source(), all.toArray(String[]::new));
    }

    @Override
    public void prepare(Payload payload) {}

    @Override
    public Told move(Payload payload) throws Problem, InterruptedException {
        long start = System.nanoTime();
        String printed = call(site.source(), "move", payload.name(), site.target());
        double total = (System.nanoTime() - start) / NANOS_PER_MILLI;
        try {
            JsonNode told = Results.JSON.readTree(printed);
            Map<String, Double> phases = new LinkedHashMap<>();
            for (String step : List.of("checkpoint", "copy", "restore")) {
                phases.put(step, told.path(step).asDouble());
            }
            return new Told(told.path("frozen").asDouble(), total, phases, null);
        } catch (JsonProcessingException e) {
            throw Problem.failed("podman.sh printed nonsense").because(printed);
        }
    }

    @Override
    public void clean(Payload payload) throws Problem, InterruptedException {
        try {
            call(site.target(), "clean", payload.name());
        } finally {
            call(site.source(), "clean", payload.name());
        }
    }

    private String call(String node, String... words) throws Problem, InterruptedException {
        return script.call(node, "/run", List.of(words));
    }
}
