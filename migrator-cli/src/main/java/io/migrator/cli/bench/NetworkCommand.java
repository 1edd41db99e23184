package io.migrator.cli.bench;

import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

@Command(
        name = "network",
        mixinStandardHelpOptions = true,
        description = {
            "How long a client hears nothing while the server it talks to moves from n1 to n2 of"
                    + " the lab with its address, beside the same steps by hand: criu, nft, ip,"
                    + " tar | ssh.",
            "",
            "The gap is what the client saw, on a third machine of the lab: the longest time"
                    + " between two arrivals of data. Each round starts a new server for each way;"
                    + " the order changes from round to round; every record of the stream is"
                    + " checked. The first round is not counted. Needs root.",
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

    @Option(names = "--json", paramLabel = "FILE", description = "Write the figures there.")
    private @Nullable Path json;

    @Override
    public Integer call() throws Problem, InterruptedException {
        if (megabytes < 1 || repeat < 1) {
            throw Problem.usage("--mb and --repeat are at least 1");
        }
        Rounds.Plan plan =
                new Rounds.Plan(
                        "connection",
                        List.of("auto"),
                        megabytes,
                        0,
                        repeat,
                        StreamPayload.ADDRESS,
                        false);
        Rounds rounds =
                new Rounds(
                        plan,
                        (lab, name, directory, inside) ->
                                new StreamPayload(lab, name, megabytes, directory, inside));
        String heading =
                "server of %d MiB, client with one connection, every record checked"
                        .formatted(megabytes);
        return Rounds.run(Map.of(heading, rounds), json);
    }
}
