package io.migrator.cli.bench;

import io.migrator.problem.Problem;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * How far the time of day of one node is ahead of another's.
 *
 * @param errorMillis the most by which that may be wrong
 */
record ClockDifference(double millis, double errorMillis) {
    private static final int QUESTIONS = 20;
    private static final double NANOS_PER_MILLI = 1e6;

    /** Answers each line with its time of day, in microseconds (bash 5). */
    private static final String TELL = "while read -r _; do echo ${EPOCHREALTIME/[.,]/}; done";

    /**
     * Asks both, over a connection that stands.
     *
     * @param source words that run a line on a node
     */
    static ClockDifference between(List<String> source, List<String> target) throws Problem {
        ClockDifference one = toThisMachine(source);
        ClockDifference other = toThisMachine(target);
        return new ClockDifference(other.millis - one.millis, other.errorMillis + one.errorMillis);
    }

    /** The quickest answer tells best. */
    static ClockDifference toThisMachine(List<String> shell) throws Problem {
        List<String> argv = new ArrayList<>(shell);
        argv.add("exec bash -c '" + TELL + "'");
        ClockDifference best = new ClockDifference(0, Double.MAX_VALUE);
        try {
            Process process = new ProcessBuilder(argv).redirectError(new File("/dev/null")).start();
            try (OutputStream ask = process.getOutputStream();
                    BufferedReader answers = process.inputReader()) {
                for (int i = 0; i < QUESTIONS; i++) {
                    Instant asked = Instant.now();
                    long begun = System.nanoTime();
                    ask.write('\n');
                    ask.flush();
                    String answer = answers.readLine();
                    double half = (System.nanoTime() - begun) / (2 * NANOS_PER_MILLI);
                    if (answer == null) {
                        throw new IOException("no answer of " + String.join(" ", shell));
                    }
                    double here = asked.getEpochSecond() * 1e3 + asked.getNano() / NANOS_PER_MILLI;
                    double ahead = Long.parseLong(answer) / 1e3 - here - half;
                    if (half < best.errorMillis) {
                        best = new ClockDifference(ahead, half);
                    }
                }
            } finally {
                process.destroy();
            }
            return best;
        } catch (IOException | NumberFormatException e) {
            throw Problem.failed("the clocks of the nodes are not known").because(e.toString());
        }
    }
}
