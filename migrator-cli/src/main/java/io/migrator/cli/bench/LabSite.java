package io.migrator.cli.bench;

import com.fasterxml.jackson.databind.JsonNode;

import io.migrator.lab.Lab;
import io.migrator.linux.Command;
import io.migrator.problem.Problem;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The lab's n1 and n2. Needs root. */
record LabSite(Lab lab, Path shared, List<Path> cgroups, String run) implements Site {
    static final String SOURCE = "n1";
    static final String TARGET = "n2";
    static final String IMAGE = "/shared/images/base.sif";

    /** Starts the lab, where it is not up. */
    static LabSite up(String run) throws Problem, InterruptedException {
        Lab lab = Lab.ofThisDistribution();
        lab.up();
        List<Path> cgroups = new ArrayList<>();
        for (JsonNode node : lab.status().path("nodes")) {
            if (List.of(SOURCE, TARGET).contains(node.path("name").asText())) {
                cgroups.add(Path.of(node.path("cgroup").asText()));
            }
        }
        return new LabSite(lab, lab.shared(), cgroups, run);
    }

    @Override
    public Path directory() {
        return shared.resolve(run);
    }

    @Override
    public String inside() {
        return "/shared/" + run;
    }

    @Override
    public String source() {
        return SOURCE;
    }

    @Override
    public String target() {
        return TARGET;
    }

    @Override
    public String image() {
        return IMAGE;
    }

    @Override
    public String programs() {
        return "/shared/bin";
    }

    @Override
    public String service() {
        return "10.77.0.103/24@eth0";
    }

    @Override
    public String device() {
        return "eth0";
    }

    @Override
    public Command.Result exec(String node, List<String> words)
            throws Problem, InterruptedException {
        return lab.exec(DEADLINE, node, words);
    }

    @Override
    public void link(String rate) throws Problem, InterruptedException {
        for (String node : List.of(SOURCE, TARGET)) {
            orFail(List.of("link", node, "rate", rate), "the link could not be limited");
        }
    }

    @Override
    public void install(List<String> packages) throws Problem, InterruptedException {
        List<String> words = new ArrayList<>(List.of("install"));
        words.addAll(packages);
        orFail(words, "packages could not be installed in the lab");
    }

    @Override
    public boolean isHere() {
        return true;
    }

    /** Both have that of this machine. */
    @Override
    public ClockDifference clocks() {
        return new ClockDifference(0, 0);
    }

    /** All of a node is in its cgroup. */
    @Override
    public double cpuSeconds() throws Problem {
        double sum = 0;
        try {
            for (Path cgroup : cgroups) {
                String first = Files.readAllLines(cgroup.resolve("cpu.stat")).getFirst();
                sum += Long.parseLong(first.substring("usage_usec ".length())) / 1e6;
            }
            return sum;
        } catch (IOException e) {
            throw Problem.failed("the processors' time is not seen").because(e.toString());
        }
    }

    private void orFail(List<String> words, String what) throws Problem, InterruptedException {
        if (lab.run(words) != 0) {
            throw Problem.failed(what);
        }
    }

    /** In the network of the hub, which is no node. */
    @Override
    public Process client(List<String> words) throws IOException {
        String hub = Files.readString(shared.resolveSibling("hub")).split(" ")[0];
        List<String> argv = new ArrayList<>(List.of("nsenter", "--net=/proc/" + hub + "/ns/net"));
        argv.add(shared.resolve("bin").resolve(words.getFirst()).toString());
        argv.addAll(words.subList(1, words.size()));
        return new ProcessBuilder(argv).inheritIO().redirectInput(new File("/dev/null")).start();
    }
}
