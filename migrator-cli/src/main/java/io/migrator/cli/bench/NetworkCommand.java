package io.migrator.cli.bench;

import io.migrator.problem.Problem;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.util.List;
import java.util.concurrent.Callable;

@Command(
        name = "network",
        mixinStandardHelpOptions = true,
        description = {
            "How long a client hears nothing while the server it talks to moves with its"
                    + " address, beside the same steps by hand: criu, nft, ip,"
                    + " tar | ssh.",
            "",
            "The silence is what the client saw, on a third machine: the longest time between two"
                + " arrivals of data; the gap is what a program beside the server saw, in the same"
                + " job. Each round starts a new server for each way; the order changes from round"
                + " to round; every record of the stream is checked. The first round is not"
                + " counted. Needs root.",
        })
final class NetworkCommand implements Callable<Integer> {
    @Option(
            names = "--mb",
            defaultValue = "10",
            paramLabel = "N",
            description = "Memory of the server, in MiB (default: ${DEFAULT-VALUE}).")
    private int megabytes = 10;

    @Option(
            names = "--repeat",
            defaultValue = "10",
            paramLabel = "N",
            description = "Rounds that count (default: ${DEFAULT-VALUE}).")
    private int repeat = 10;

    @Option(
            names = "--connections",
            defaultValue = "1",
            paramLabel = "N",
            description = "That live on (default: ${DEFAULT-VALUE}).")
    private int connections = 1;

    @Mixin private Nodes nodes;

    @Mixin private Outputs outputs;

    @Override
    public Integer call() throws Problem, InterruptedException {
        String name = "server of %d MiB, %d connection(s)".formatted(megabytes, connections);
        List<String> ways = List.of("auto", Ways.BASELINE);
        BenchCase only = BenchCase.asked(name, megabytes, 0, connections, ways);
        Rounds.Plan plan = new Rounds.Plan(repeat, MemoryCommand.PAUSE, true);
        return Measurement.run(nodes, List.of(only), plan, outputs);
    }
}
