package io.migrator.cli.bench;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.JsonProcessingException;

import io.migrator.lab.Lab;
import io.migrator.linux.Command;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A server with an address that moves, in an instance, and its client on the bridge between the
 * nodes, which checks what it hears (stream.c). Owns the client.
 */
final class StreamPayload implements Payload {
    /** On eth0; the lab has 10.77.0.0/24. */
    static final String ADDRESS = "10.77.0.103";

    private static final String PORT = "7000";
    private static final int POLL_MILLIS = 5;
    private static final int POLLS = 2000;

    private final Lab lab;
    private final String name;
    private final int megabytes;
    private final Path server;
    private final String serverInside;
    private final Path report;
    private @Nullable Process client;
    private int seen;

    /**
     * A payload that has not been started.
     *
     * @param megabytes of the server's memory, MiB
     * @param directory of this run, below the lab's shared folder
     * @param directoryInside the same as the nodes see it
     */
    StreamPayload(Lab lab, String name, int megabytes, Path directory, String directoryInside) {
        this.lab = lab;
        this.name = name;
        this.megabytes = megabytes;
        this.server = directory.resolve(name + ".json");
        this.serverInside = directoryInside + "/" + name + ".json";
        this.report = directory.resolve(name + "-client.json");
    }

    /** What of the client's report matters here. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Report(int seq, String state, long received, long errors, double longestGapMillis) {}

    @Override
    public String name() {
        return name;
    }

    @Override
    public void start() throws Problem, InterruptedException {
        List<String> run =
                List.of(
                        "migrator",
                        "run",
                        "--service-ip",
                        ADDRESS + "/24@eth0",
                        "--bind",
                        "/shared",
                        Pattern.IMAGE,
                        name,
                        "--",
                        "/shared/bin/stream",
                        "server",
                        "--mb",
                        String.valueOf(megabytes),
                        "--port",
                        PORT,
                        "--report",
                        serverInside);
        lab.exec(Pattern.DEADLINE, Pattern.SOURCE, run).orFail("the server could not be started");
        await(server);
        Path shared = lab.shared();
        try {
            String hub = Files.readString(shared.resolveSibling("hub")).split(" ")[0];
            client =
                    new ProcessBuilder(
                                    "nsenter",
                                    "--net=/proc/" + hub + "/ns/net",
                                    shared.resolve("bin/stream").toString(),
                                    "client",
                                    "--to",
                                    ADDRESS + ":" + PORT,
                                    "--report",
                                    report.toString())
                            .redirectInput(new File("/dev/null"))
                            .inheritIO()
                            .start();
        } catch (IOException e) {
            throw Problem.failed("the client could not be started").because(e.toString());
        }
        await(report);
        read();
    }

    private void await(Path file) throws Problem, InterruptedException {
        for (int i = 0; i < POLLS; i++) {
            if (Files.exists(file)) {
                return;
            }
            Thread.sleep(POLL_MILLIS);
        }
        throw Problem.failed("the stream does not begin").because("no " + file.getFileName());
    }

    @Override
    public Look look() throws Problem, InterruptedException {
        Report told = asked();
        return new Look(told.longestGapMillis, told.received, System.nanoTime() / 1e9);
    }

    @Override
    public void verify() throws Problem, InterruptedException {
        Report told = asked();
        boolean there =
                lab.exec(Pattern.DEADLINE, Pattern.TARGET, List.of("pgrep", "-f", serverInside))
                        .ok();
        if (!told.state.equals("established") || told.errors != 0 || !there) {
            throw Problem.failed("the connection did not live").because(told.toString());
        }
    }

    private Report asked() throws Problem, InterruptedException {
        Process running = client;
        if (running == null) {
            throw new IllegalStateException("not started");
        }
        int before = seen;
        Command.of("kill", "-USR1", String.valueOf(running.pid()))
                .run(Pattern.DEADLINE)
                .orFail("the client has ended");
        for (int i = 0; i < POLLS; i++) {
            Report now = read();
            if (now.seq > before) {
                return now;
            }
            Thread.sleep(POLL_MILLIS);
        }
        throw Problem.failed("the client does not answer");
    }

    private Report read() throws Problem {
        try {
            Report told = Results.JSON.readValue(Files.readString(report), Report.class);
            seen = told.seq;
            return told;
        } catch (JsonProcessingException e) {
            throw Problem.failed("the client reports nonsense").because(e.getMessage());
        } catch (IOException e) {
            throw Problem.failed("the client's report cannot be read").because(e.toString());
        }
    }

    @Override
    public void close() {
        if (client != null) {
            client.destroy();
        }
    }
}
