package io.migrator.cli.bench;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;

import io.migrator.linux.Command;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.List;

/**
 * A {@link Pattern} with the server {@code stream} beside it in one job, and its client outside,
 * whose connections live on (stream.c). Used by one thread.
 */
final class Served implements Payload {
    private static final String PORT = "7000";
    private static final int MOST_OF_ONE = 256;
    private static final int MOST_OF_ALL = 1024;

    private final Site site;
    private final BenchCase what;
    private final Pattern pattern;
    private final ReportFile<Report> server;
    private final ReportFile<Report> heard;
    private @Nullable Process client;

    /** A payload that has not been started. */
    Served(Site site, BenchCase what, String name) {
        this.site = site;
        this.what = what;
        this.pattern = new Pattern(site, what, name);
        this.server = new ReportFile<>(site, name + "-server.json", Report.class);
        this.heard = new ReportFile<>(site, name + "-client.json", Report.class);
    }

    /** What of a report matters here. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Report(
            int seq,
            String state,
            int connections,
            long received,
            long errors,
            double longestGapMillis)
            implements ReportFile.Numbered {}

    @Override
    public String name() {
        return pattern.name();
    }

    /** Returns when the connections are made. */
    @Override
    public void start(Starter starter) throws Problem, InterruptedException {
        String serve =
                "%s/stream server --port %s --rate-kb %d --report %s"
                        .formatted(site.programs(), PORT, rateKilobytes(), server.inside());
        starter.start(
                List.of("--service-ip", site.service()),
                List.of("sh", "-c", String.join(" ", pattern.words()) + " & exec " + serve));
        pattern.filled();
        server.next();
        String address = site.service().replaceFirst("/.*", "");
        try {
            client =
                    site.client(
                            List.of(
                                    "stream",
                                    "client",
                                    "--to",
                                    address + ":" + PORT,
                                    "--rate-kb",
                                    Integer.toString(rateKilobytes()),
                                    "--count",
                                    Integer.toString(what.connections()),
                                    "--report",
                                    heard.path().toString()));
        } catch (IOException e) {
            throw Problem.failed("the client could not be started").because(e.toString());
        }
        heard.next();
    }

    /**
     * Of each connection, KB/s: where many take all of the processors, a client's silence is that
     * of a program that waits for one, not of the move.
     */
    private int rateKilobytes() {
        return Math.max(1, Math.min(MOST_OF_ONE, MOST_OF_ALL / what.connections()));
    }

    /** Its pace is that of the stream: the memory may have no writes. */
    @Override
    public Look look() throws Problem, InterruptedException {
        Look own = pattern.look();
        Report told = asked();
        return new Look(
                own.gapMillis(), told.longestGapMillis, told.received, System.nanoTime() / 1e9);
    }

    @Override
    public void verify() throws Problem, InterruptedException {
        Report told = asked();
        if (!told.state.equals("established")
                || told.errors != 0
                || told.connections != what.connections()) {
            throw Problem.failed("the connections did not live").because(told.toString());
        }
        pattern.verify();
    }

    private Report asked() throws Problem, InterruptedException {
        Process running = client;
        if (running == null) {
            throw new IllegalStateException("not started");
        }
        Command.of("kill", "-USR1", String.valueOf(running.pid()))
                .run(Site.DEADLINE)
                .orFail("the client has ended");
        return heard.next();
    }

    @Override
    public void close() {
        if (client != null) {
            client.destroy();
        }
    }
}
