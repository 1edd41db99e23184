package io.migrator.cli.bench;

import io.migrator.linux.CpuSeconds;
import io.migrator.problem.Problem;
import io.migrator.ssh.Destination;
import io.migrator.ssh.TransportChoice;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * One sender of {@code bench transport}: a process of its own for each figure, because in a
 * migration the virtual machine is as young. The clock runs from when the far ends are ready until
 * all have said that they have the last byte.
 */
@Command(
        name = "send",
        hidden = true,
        description = "The near end of bench transport: sends once or twice and prints JSON.")
final class SendCommand implements Callable<Integer> {
    private static final double NANOS_PER_SECOND = 1e9;

    @Option(names = "--to", required = true)
    private String to = "";

    @Option(names = "--source", required = true)
    private Path source = Path.of("");

    @Option(names = "--bytes", required = true)
    private long bytes;

    @Option(names = "--connections", defaultValue = "1")
    private int connections;

    @Option(names = "--transport", defaultValue = "auto")
    private TransportChoice transport = TransportChoice.AUTO;

    @Option(names = "--remote-program", defaultValue = "migrator")
    private String program = "migrator";

    @Option(names = "--plain", description = "Through ssh and cat, not by frames.")
    private boolean plain;

    @Option(names = "--warm-up", description = "Send padding first, as a migration does.")
    private boolean warmUp;

    /**
     * What was measured.
     *
     * @param via in words
     * @param transfers one after the other over the same connections
     */
    record Sent(String via, List<Transfer> transfers) {}

    @Override
    public Integer call() throws Problem, InterruptedException {
        Destination destination = Destination.parse(to);
        List<Lane> lanes = new ArrayList<>();
        try {
            for (int i = 0; i < connections; i++) {
                lanes.add(lane(destination));
            }
            List<Transfer> transfers = new ArrayList<>();
            for (int i = 0; i < (plain ? 1 : 2); i++) {
                transfers.add(transfer(lanes));
            }
            System.out.println(Results.text(new Sent(lanes.getFirst().description(), transfers)));
            return 0;
        } finally {
            lanes.forEach(Lane::close);
        }
    }

    private Lane lane(Destination destination) throws Problem, InterruptedException {
        if (plain) {
            return SshLane.open(destination);
        }
        FrameLane lane = FrameLane.open(destination, transport, program);
        try {
            if (warmUp) {
                lane.warmUp();
            }
            return lane;
        } catch (IOException e) {
            lane.close();
            throw Problem.failed("the stream broke").because(e.getMessage()).causedBy(e);
        }
    }

    private Transfer transfer(List<Lane> lanes) throws Problem, InterruptedException {
        try (ExecutorService threads = Executors.newFixedThreadPool(lanes.size())) {
            double cpuBefore = CpuSeconds.ofThisProcess();
            long start = System.nanoTime();
            List<Future<Double>> results =
                    lanes.stream()
                            .map(lane -> threads.submit(() -> lane.send(source, share())))
                            .toList();
            double farCpu = 0;
            for (Future<Double> result : results) {
                farCpu += result.get();
            }
            double seconds = (System.nanoTime() - start) / NANOS_PER_SECOND;
            return new Transfer(
                    share() * lanes.size(),
                    seconds,
                    CpuSeconds.ofThisProcess() - cpuBefore,
                    farCpu);
        } catch (ExecutionException | IOException e) {
            throw Problem.failed("the bytes did not arrive").because(e.getMessage()).causedBy(e);
        }
    }

    private long share() {
        return bytes / connections;
    }
}
