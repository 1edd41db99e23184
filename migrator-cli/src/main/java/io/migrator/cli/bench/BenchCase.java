package io.migrator.cli.bench;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;

import io.migrator.problem.PlainText;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Objects;

/**
 * A case of a benchmark, as a file of cases has it (docs/benchmarks.md): what is moved, over what
 * link, and by which ways.
 *
 * @param name in tables and pictures
 * @param megabytes of the payload's memory, MiB, whose bytes cannot be compressed
 * @param rate at which it writes all over it, MiB/s
 * @param processes that share memory and rate
 * @param connections of TCP that live on; 0 without
 * @param link rate of the link, as tc(8) has it, or {@code none}
 * @param compress as {@code migrate --compress} has it
 * @param ways names of {@link Ways}
 */
record BenchCase(
        String name,
        int megabytes,
        int rate,
        int processes,
        int connections,
        String link,
        String compress,
        List<String> ways) {
    private static final int MOST_OF_NAME = 100;
    private static final int MOST_PROCESSES = 256;
    private static final int MOST_CONNECTIONS = 512;
    private static final String LINK = "none|[1-9][0-9]{0,5}[kmg]bit";
    private static final List<String> COMPRESSIONS = List.of("auto", "none", "lz4");

    /**
     * Takes what somebody wrote.
     *
     * @throws IllegalArgumentException if it is not understood, with what is
     */
    BenchCase {
        orElse(
                !name.isBlank() && name.equals(PlainText.line(name, MOST_OF_NAME)),
                "name",
                "1 to 100 characters that can be printed");
        orElse(megabytes >= 1 && megabytes < 1 << 20, "megabytes", "at least 1");
        orElse(rate >= 0 && rate < 1 << 20, "rate", "at least 0");
        orElse(
                processes >= 1 && processes <= Math.min(MOST_PROCESSES, megabytes),
                "processes",
                "at least 1, at most 256, and no more than megabytes");
        orElse(
                connections >= 0 && connections <= MOST_CONNECTIONS,
                "connections",
                "at least 0 and at most 512");
        orElse(link.matches(LINK), "link", "none, or a rate such as 1gbit");
        orElse(COMPRESSIONS.contains(compress), "compress", "auto, none or lz4");
        ways = List.copyOf(ways);
        orElse(
                !ways.isEmpty() && Ways.NAMES.containsAll(ways),
                "ways",
                "some of " + String.join(", ", Ways.NAMES));
    }

    /**
     * As options have it.
     *
     * @throws Problem of usage if it is not understood
     */
    static BenchCase asked(String name, int megabytes, int rate, int connections, List<String> ways)
            throws Problem {
        try {
            return new BenchCase(name, megabytes, rate, 1, connections, "none", "auto", ways);
        } catch (IllegalArgumentException e) {
            throw Problem.usage(String.valueOf(e.getMessage()));
        }
    }

    /** As a file has it: what is not said is the usual. */
    @JsonCreator
    static BenchCase read(
            @JsonProperty("name") @Nullable String name,
            @JsonProperty("megabytes") @Nullable Integer megabytes,
            @JsonProperty("rate") @Nullable Integer rate,
            @JsonProperty("processes") @Nullable Integer processes,
            @JsonProperty("connections") @Nullable Integer connections,
            @JsonProperty("link") @Nullable String link,
            @JsonProperty("compress") @Nullable String compress,
            @JsonProperty("ways") @Nullable List<String> ways) {
        return new BenchCase(
                Objects.requireNonNullElse(name, ""),
                Objects.requireNonNullElse(megabytes, 1024),
                Objects.requireNonNullElse(rate, 100),
                Objects.requireNonNullElse(processes, 1),
                Objects.requireNonNullElse(connections, 0),
                Objects.requireNonNullElse(link, "none"),
                Objects.requireNonNullElse(compress, "auto"),
                Objects.requireNonNullElse(ways, List.of("auto", Ways.BASELINE)));
    }

    private static void orElse(boolean right, String what, String wanted) {
        if (!right) {
            throw new IllegalArgumentException(what + " has to be " + wanted);
        }
    }

    /** A payload of it that has not been started. */
    Payload payload(Site site, String job) {
        return connections > 0 ? new Served(site, this, job) : new Pattern(site, this, job);
    }
}
