package io.migrator.cli.bench;

import static io.migrator.cli.bench.TransportCase.sample;

import com.fasterxml.jackson.core.JsonProcessingException;

import io.migrator.cli.report.Machine;
import io.migrator.lab.Lab;
import io.migrator.linux.Command.Result;
import io.migrator.linux.NativeParts;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;
import io.migrator.ssh.Destination;
import io.migrator.ssh.TransportChoice;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;

@Command(
        name = "transport",
        mixinStandardHelpOptions = true,
        description = {
            "How fast our stream carries bytes that cannot be compressed, beside ssh and cat.",
            "",
            "Each round sends through a fresh sender and a fresh receiver, which warm up as in a"
                    + " migration (at most 0.4 s, before the clock starts), then once more through"
                    + " the same two, and through a fresh ssh with aes128-gcm; the order changes"
                    + " from round to round. The first round is not counted.",
        })
final class TransportCommand implements Callable<Integer> {
    private static final Duration ROUND = Duration.ofMinutes(5);
    private static final String ROW = "%-34s %-26s %5.2f + %.2f%n";

    @Option(names = "--to", paramLabel = "[USER@]NODE", description = "The node to send to.")
    private @Nullable String to;

    @Option(names = "--lab", description = "From n1 to n2 of the lab; needs root.")
    private boolean lab;

    @Option(
            names = "--bytes",
            defaultValue = "1GiB",
            paramLabel = "SIZE",
            description = "How much in each round: 512MiB, 4GiB (default: ${DEFAULT-VALUE}).")
    private String size = "1GiB";

    @Option(
            names = "--repeat",
            defaultValue = "5",
            paramLabel = "N",
            description = "Rounds that count (default: ${DEFAULT-VALUE}).")
    private int repeat = 5;

    @Option(
            names = "--transport",
            defaultValue = "auto",
            paramLabel = "auto|jsch|ssh",
            description = "What carries our stream (default: ${DEFAULT-VALUE}).")
    private TransportChoice transport = TransportChoice.AUTO;

    @Option(
            names = "--connections",
            defaultValue = "1",
            paramLabel = "N",
            description = "At the same time, for both sides (default: ${DEFAULT-VALUE}).")
    private int connections = 1;

    @Option(
            names = "--remote-program",
            defaultValue = "migrator",
            paramLabel = "PATH",
            description = "Migrator on that node, if it is not in the PATH there.")
    private String program = "migrator";

    @Option(
            names = "--no-warm-up",
            description = "Leave out the padding that a migration sends before the job is frozen.")
    private boolean cold;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the figures there.")
    private @Nullable Path json;

    private final List<Transfer> fresh = new ArrayList<>();
    private final List<Transfer> warm = new ArrayList<>();
    private final List<Transfer> plain = new ArrayList<>();
    private final List<Double> ratios = new ArrayList<>();
    private final List<String> failures = new ArrayList<>();
    private String via = "stream";
    private String baseline = "ssh";

    @Override
    public Integer call() throws Problem, InterruptedException {
        if (lab == (to != null) || repeat < 1 || connections < 1) {
            throw Problem.usage(
                    lab == (to != null)
                            ? "give either --to or --lab"
                            : "--repeat and --connections are at least 1");
        }
        Results.orUnwritable(json);
        return to == null ? inLab() : measure(Destination.parse(to), Size.parse(size));
    }

    private int measure(Destination node, long bytes) throws Problem, InterruptedException {
        Machine machine = Machine.here();
        try (RandomFile source = RandomFile.create()) {
            for (int round = 0; round <= repeat; round++) {
                round(round, node, bytes, source.path());
            }
        }
        print(machine, node, bytes);
        new Results<>(machine, null, List.of(result(bytes))).write(json, null);
        return (failures.isEmpty() ? ExitCode.DONE : ExitCode.FAILED).code();
    }

    private void round(int number, Destination node, long bytes, Path source)
            throws Problem, InterruptedException {
        SendCommand.@Nullable Sent ours = null;
        SendCommand.@Nullable Sent theirs = null;
        try {
            if (number % 2 == 1) {
                ours = send(node, bytes, source, false);
                theirs = send(node, bytes, source, true);
            } else {
                theirs = send(node, bytes, source, true);
                ours = send(node, bytes, source, false);
            }
        } catch (Problem e) {
            failures.add("round " + number + ": " + e.getMessage());
            System.err.println("round " + number + " failed: " + e.getMessage());
            return;
        }
        Transfer first = ours.transfers().getFirst();
        Transfer second = ours.transfers().getLast();
        Transfer other = theirs.transfers().getFirst();
        System.err.printf(
                Locale.ROOT,
                "round %d: stream %.0f MB/s, again %.0f, ssh %.0f%s%n",
                number,
                first.megabytesPerSecond(),
                second.megabytesPerSecond(),
                other.megabytesPerSecond(),
                number == 0 ? " (not counted)" : "");
        via = "stream over " + ours.via();
        baseline = theirs.via();
        if (number > 0) {
            fresh.add(first);
            warm.add(second);
            plain.add(other);
            ratios.add(first.megabytesPerSecond() / other.megabytesPerSecond());
        }
    }

    private String age() {
        return cold ? "cold" : "fresh";
    }

    /** Starts a sender and waits for its end. */
    private SendCommand.Sent send(Destination node, long bytes, Path source, boolean bySsh)
            throws Problem, InterruptedException {
        List<String> argv =
                new ArrayList<>(
                        List.of(
                                NativeParts.home().resolve("bin/migrator").toString(),
                                "bench",
                                "send",
                                "--to=" + node,
                                "--source=" + source,
                                "--bytes=" + bytes,
                                "--connections=" + connections,
                                "--transport=" + transport,
                                "--remote-program=" + program));
        if (bySsh) {
            argv.add("--plain");
        } else if (!cold) {
            argv.add("--warm-up");
        }
        Result result = io.migrator.linux.Command.of(argv).run(ROUND).orFail("sending failed");
        try {
            return Results.JSON.readValue(result.out(), SendCommand.Sent.class);
        } catch (JsonProcessingException e) {
            throw Problem.failed("the sender told nonsense").because(result.out());
        }
    }

    private TransportCase result(long bytes) {
        Sample ratio = Sample.of(ratios);
        return new TransportCase(
                "transport",
                bytes,
                connections,
                repeat,
                TransportCase.Side.of(via + ", " + age(), fresh),
                TransportCase.Side.of(via + ", again", warm),
                TransportCase.Side.of(baseline, plain),
                Results.figure(ratio.median()),
                Results.figure(ratio.min()),
                Results.figure(ratio.max()),
                ratios.stream().map(Results::figure).toList(),
                failures);
    }

    private void print(Machine machine, Destination node, long bytes) {
        System.out.printf(
                Locale.ROOT,
                "%s%n%.0f MB of random bytes to %s, %d rounds, %d connection(s) each%n%n",
                machine.text(),
                bytes / 1e6,
                node,
                repeat,
                connections);
        System.out.printf("%-34s %-26s %s%n", "", "MB/s (min - max)", "CPU s/GB here + there");
        row(via + ", " + age(), fresh);
        row(via + ", again", warm);
        row(baseline, plain);
        System.out.printf(
                Locale.ROOT,
                "%nratio of MB/s, fresh stream to ssh, by round: %s%nmedian %s%n",
                String.join(
                        " ",
                        ratios.stream().map(r -> String.format(Locale.ROOT, "%.2f", r)).toList()),
                Sample.of(ratios).text("%.2f"));
        System.out.println(
                """

                The clock runs from when the far end is ready until it has said that it has the
                last byte: connecting and starting is in none of the figures. CPU is that of
                the sender and its ssh, and of the receiver and its sshd, over the same time.\
                """);
        failures.forEach(failure -> System.out.println("FAILED " + failure));
    }

    private static void row(String name, List<Transfer> transfers) {
        System.out.printf(
                Locale.ROOT,
                ROW,
                name,
                sample(transfers, Transfer::megabytesPerSecond).text("%.0f"),
                sample(transfers, Transfer::nearCpuPerGigabyte).median(),
                sample(transfers, Transfer::farCpuPerGigabyte).median());
    }

    /** Runs this command on n1. */
    private int inLab() throws Problem, InterruptedException {
        Lab nodes = Lab.ofThisDistribution();
        nodes.up();
        String name = "bench-" + ProcessHandle.current().pid() + ".json";
        Path figures = nodes.shared().resolve(name);
        List<String> words =
                new ArrayList<>(
                        List.of(
                                "exec",
                                "n1",
                                "--",
                                "migrator",
                                "bench",
                                "transport",
                                "--to=n2",
                                "--bytes=" + size,
                                "--repeat=" + repeat,
                                "--transport=" + transport,
                                "--connections=" + connections,
                                "--json=/shared/" + name));
        if (cold) {
            words.add("--no-warm-up");
        }
        int exit = nodes.run(words);
        try {
            if (json != null && Files.exists(figures)) {
                Files.copy(figures, json, StandardCopyOption.REPLACE_EXISTING);
            }
            Files.deleteIfExists(figures);
        } catch (IOException e) {
            throw Problem.failed("could not write " + json).because(e.toString());
        }
        return exit;
    }
}
