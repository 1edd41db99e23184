package io.migrator.cli.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;

import io.migrator.lab.Lab;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** criu, tar and ssh, by the script {@code by-hand.sh}. Used by one thread. */
final class ByHandWay implements Way {
    private static final String SCRIPT = "by-hand.sh";
    private static final double NANOS_PER_MILLI = 1e6;

    /** Which of its ways. */
    enum How {
        /** All of the memory while the payload stands still. */
        STOP("move", "criu, tar | ssh, criu"),
        /** When it runs on the target (post-copy). */
        LAZY("lazy", "criu lazy-pages");

        private final String verb;
        private final String text;

        How(String verb, String text) {
            this.verb = verb;
            this.text = text;
        }
    }

    private final How how;
    private final Lab lab;
    private final String script;
    private final String address;
    private String appinit = "";

    /**
     * Puts the script where both nodes see it.
     *
     * @param directory of this run, below the lab's shared folder
     * @param directoryInside the same as the nodes see it
     * @param address on eth0 that moves along, or empty; empty with {@link How#LAZY}
     */
    ByHandWay(How how, Lab lab, Path directory, String directoryInside, String address)
            throws Problem {
        this.how = how;
        this.lab = lab;
        this.address = address;
        this.script = directoryInside + "/" + SCRIPT;
        try (InputStream in = ByHandWay.class.getResourceAsStream(SCRIPT)) {
            Files.copy(
                    Objects.requireNonNull(in, SCRIPT),
                    directory.resolve(SCRIPT),
                    StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw Problem.failed("could not write " + SCRIPT).because(e.toString());
        }
    }

    @Override
    public String name() {
        return how.text;
    }

    @Override
    public void prepare(Payload payload) throws Problem, InterruptedException {
        String pids = call(Pattern.SOURCE, "pids", payload);
        appinit = call(Pattern.TARGET, "prepare", payload, Pattern.IMAGE, pids);
    }

    @Override
    public Told move(Payload payload) throws Problem, InterruptedException {
        long start = System.nanoTime();
        String printed = call(Pattern.SOURCE, how.verb, payload, Pattern.TARGET, appinit, address);
        double total = (System.nanoTime() - start) / NANOS_PER_MILLI;
        try {
            JsonNode told = Results.JSON.readTree(printed);
            Map<String, Double> phases = new LinkedHashMap<>();
            for (String step : List.of("dump", "copy", "restore")) {
                phases.put(step, told.path(step).asDouble());
            }
            double sum = phases.values().stream().mapToDouble(Double::doubleValue).sum();
            return new Told(sum, total, told.path("bytes").asLong(), phases);
        } catch (JsonProcessingException e) {
            throw Problem.failed(SCRIPT + " printed nonsense").because(printed);
        }
    }

    @Override
    public void clean(Payload payload) throws Problem, InterruptedException {
        call(Pattern.TARGET, "clean", payload, address);
        call(Pattern.SOURCE, "clean", payload, address);
    }

    private String call(String node, String action, Payload payload, String... more)
            throws Problem, InterruptedException {
        List<String> words = new ArrayList<>(List.of("bash", script, action, payload.name()));
        words.addAll(List.of(more));
        return lab.exec(Pattern.DEADLINE, node, words)
                .orFail(SCRIPT + " " + action + " failed on " + node)
                .out()
                .strip();
    }
}
