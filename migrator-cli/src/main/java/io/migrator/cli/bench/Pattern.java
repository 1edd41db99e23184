package io.migrator.cli.bench;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.JsonProcessingException;

import io.migrator.lab.Lab;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * The payload {@code pattern} in an instance of its own in the lab, which tells how long it stood
 * still and whether its memory is right (pattern.c). Used by one thread.
 */
final class Pattern implements Payload {
    static final String SOURCE = "n1";
    static final String TARGET = "n2";
    static final String IMAGE = "/shared/images/base.sif";
    static final Duration DEADLINE = Duration.ofMinutes(3);

    private static final int POLL_MILLIS = 20;

    private final Lab lab;
    private final String name;
    private final int megabytes;
    private final int rate;
    private final Path file;
    private final String fileInside;
    private int seen;

    /**
     * A payload that has not been started.
     *
     * @param megabytes of memory, MiB
     * @param rate at which it writes, MiB/s
     * @param directory of this run, below the lab's shared folder
     * @param directoryInside the same as the nodes see it
     */
    Pattern(Lab lab, String name, int megabytes, int rate, Path directory, String directoryInside) {
        this.lab = lab;
        this.name = name;
        this.megabytes = megabytes;
        this.rate = rate;
        this.file = directory.resolve(name + ".json");
        this.fileInside = directoryInside + "/" + name + ".json";
    }

    /** What of its report matters here. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Report(
            int seq,
            String node,
            long bad,
            boolean verified,
            double maxGapMillis,
            long writes,
            double unixTime) {}

    @Override
    public String name() {
        return name;
    }

    /** Returns when its memory is filled. */
    @Override
    public void start() throws Problem, InterruptedException {
        List<String> words =
                List.of(
                        "migrator",
                        "run",
                        "--bind",
                        "/shared",
                        IMAGE,
                        name,
                        "--",
                        "/shared/bin/pattern",
                        "--mb",
                        Integer.toString(megabytes),
                        "--rate",
                        Integer.toString(rate),
                        "--report",
                        fileInside);
        lab.exec(DEADLINE, SOURCE, words).orFail("the payload could not be started");
        await();
    }

    @Override
    public Look look() throws Problem, InterruptedException {
        Report told = signalled("USR1");
        return new Look(told.maxGapMillis, told.writes, told.unixTime);
    }

    /** Every page of its memory is checked. */
    @Override
    public void verify() throws Problem, InterruptedException {
        Report report = signalled("USR2");
        if (!report.verified || report.bad != 0 || !report.node.equals(TARGET)) {
            throw Problem.failed(
                    "the payload on %s found %d wrong pages".formatted(report.node, report.bad));
        }
    }

    @Override
    public void close() {
        // it is in its instance
    }

    /** Wherever it is: its instance is on one node. */
    private Report signalled(String signal) throws Problem, InterruptedException {
        List<String> words = List.of("pkill", "-" + signal, "-f", "--", "--report " + fileInside);
        if (!lab.exec(DEADLINE, SOURCE, words).ok()) {
            lab.exec(DEADLINE, TARGET, words).orFail("the payload is nowhere");
        }
        return await();
    }

    private Report await() throws Problem, InterruptedException {
        long end = System.nanoTime() + DEADLINE.toNanos();
        while (System.nanoTime() < end) {
            try {
                if (Files.exists(file)) {
                    Report report = Results.JSON.readValue(Files.readString(file), Report.class);
                    if (report.seq > seen) {
                        seen = report.seq;
                        return report;
                    }
                }
            } catch (JsonProcessingException e) {
                throw Problem.failed("the payload reports nonsense").because(e.getMessage());
            } catch (IOException e) {
                throw Problem.failed("the payload's report cannot be read").because(e.toString());
            }
            Thread.sleep(POLL_MILLIS);
        }
        throw Problem.failed("the payload does not answer");
    }
}
