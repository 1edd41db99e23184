package io.migrator.cli;

import io.migrator.archive.ArchiveNode;
import io.migrator.handover.SourceJournal;
import io.migrator.migration.FarNode;
import io.migrator.problem.Problem;
import io.migrator.remote.RemoteNode;
import io.migrator.remote.RemoteTarget;
import io.migrator.ssh.Destination;
import io.migrator.ssh.Dialer;
import io.migrator.ssh.Transport;
import io.migrator.ssh.TransportChoice;
import io.migrator.wire.Compression;

import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/** The options that say how other nodes are reached. */
final class FarSide {
    private static final Duration CONNECT = Duration.ofSeconds(10);

    @Option(
            names = "--transport",
            defaultValue = "auto",
            paramLabel = "auto|jsch|ssh",
            description =
                    "Use the built-in SSH client, or the site's own (default: ${DEFAULT-VALUE}).")
    private TransportChoice transport = TransportChoice.AUTO;

    @Option(
            names = "--compress",
            defaultValue = "auto",
            paramLabel = "auto|none|lz4",
            description = "Compress the memory on its way (default: ${DEFAULT-VALUE}).")
    private Compression compress = Compression.AUTO;

    @Option(
            names = "--remote-program",
            defaultValue = "migrator",
            paramLabel = "PATH",
            description = "Migrator on that node, if it is not in the PATH there.")
    private String program = "migrator";

    @Option(
            names = "--timeout",
            defaultValue = "10m",
            paramLabel = "TIME",
            description =
                    "Give up when a step takes longer: 90s, 10m, 1h (default: ${DEFAULT-VALUE}).")
    private String timeout = "10m";

    /** A target over a connection of its own; closing it closes both. */
    record Link(Transport transport, RemoteTarget target, RemoteNode node)
            implements AutoCloseable {
        @Override
        public void close() {
            target.close();
            transport.close();
        }
    }

    Duration timeLimit() throws Problem {
        return Span.of("--timeout", timeout);
    }

    /**
     * Refuses what is wrong with the options, before anything else is looked at.
     *
     * @param to a node as a person wrote it
     */
    void validate(String to) throws Problem {
        timeLimit();
        Destination.parse(to);
    }

    /** A node, or an archive, as a journal names it. */
    static FarNode anyNode(SourceJournal.Far far) throws Problem {
        return far.leadsToFile() ? new ArchiveNode(Path.of(far.to())) : node(far);
    }

    private static RemoteNode node(SourceJournal.Far far) throws Problem {
        Destination destination = Destination.parse(far.to());
        try {
            TransportChoice choice =
                    TransportChoice.valueOf(far.transport().toUpperCase(Locale.ROOT));
            return new RemoteNode(far, () -> new Dialer().connect(destination, choice, CONNECT));
        } catch (IllegalArgumentException e) {
            throw Problem.failed("the journal names no transport").because(far.transport());
        }
    }

    /** Logs in to a node and starts migrator there. */
    Link connect(String to) throws Problem, InterruptedException {
        return start(to, dial(to));
    }

    /** Logs in to a node. */
    Transport dial(String to) throws Problem, InterruptedException {
        return new Dialer().connect(Destination.parse(to), transport, CONNECT);
    }

    /**
     * Starts migrator there.
     *
     * @param link to that node, which is closed if that fails
     */
    Link start(String to, Transport link) throws Problem {
        try {
            RemoteNode node =
                    node(
                            new SourceJournal.Far(
                                    to, transport.name().toLowerCase(Locale.ROOT), program));
            RemoteTarget target =
                    RemoteTarget.start(
                            Destination.parse(to).host(),
                            List.of(program),
                            link,
                            node,
                            compress,
                            timeLimit());
            return new Link(link, target, node);
        } catch (Problem e) {
            link.close();
            throw e;
        }
    }
}
