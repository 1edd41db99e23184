package io.migrator.cli.bench;

import io.migrator.linux.Command;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * Two nodes between which is moved, a directory that both share with this machine, and a third
 * machine for clients. Used by one thread.
 */
interface Site {
    /** For any program on a node. */
    Duration DEADLINE = Duration.ofMinutes(10);

    /** The node from which is moved. */
    String source();

    /** The node to which. */
    String target();

    /** A directory of this run that is there on both nodes, as this machine sees it. */
    Path directory();

    /** The same as the nodes see it. */
    String inside();

    /** The directory above it, which a job sees by the same path. */
    default String common() {
        return inside().substring(0, inside().lastIndexOf('/'));
    }

    /** The job image, as the nodes see it. */
    String image();

    /** The folder of the payload programs, as the nodes see it. */
    String programs();

    /** An address that may move, with its length and device: {@code 10.0.0.9/24@eth0}. */
    String service();

    /** Runs a program on a node. */
    Command.Result exec(String node, List<String> words) throws Problem, InterruptedException;

    /**
     * Limits the link of both nodes.
     *
     * @param rate as tc(8) has it, or {@code none}
     * @throws Problem if that cannot be done here
     */
    void link(String rate) throws Problem, InterruptedException;

    /** Installs Debian packages on both nodes, if they are not there. */
    void install(List<String> packages) throws Problem, InterruptedException;

    /** Starts a payload program where a client is; it writes to the directory of this machine. */
    Process client(List<String> words) throws IOException;

    /** Bytes that have left the source by its network so far. */
    default long sentBytes() throws Problem, InterruptedException {
        String file = "/sys/class/net/%s/statistics/tx_bytes".formatted(device());
        return Long.parseLong(
                exec(source(), List.of("cat", file))
                        .orFail("the bytes on the network are not seen")
                        .out()
                        .strip());
    }

    /** Whether both nodes are on this machine. */
    boolean isHere();

    /**
     * How far the target's time of day is ahead of the source's now: a payload counts its gap from
     * one to the other.
     */
    ClockDifference clocks() throws Problem, InterruptedException;

    /** Processor seconds of both nodes so far; by ssh of all that runs there. */
    double cpuSeconds() throws Problem, InterruptedException;

    /** The interface by which the nodes reach each other. */
    String device();
}
