package io.migrator.cli;

import io.migrator.archive.ArchiveNode;
import io.migrator.archive.ArchiveShelf;
import io.migrator.archive.ArchiveTarget;
import io.migrator.instance.Instance;
import io.migrator.instance.Instances;
import io.migrator.migration.MemoryWish;
import io.migrator.migration.Migration;
import io.migrator.migration.Outcome;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;
import io.migrator.wire.Compression;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;

@Command(
        name = "checkpoint",
        mixinStandardHelpOptions = true,
        description = {
            "Keeps a running instance in a file, from which 'migrator restore' lets it run again.",
            "",
            "The job is ended when the file is whole and on the disk, or runs on (--leave-running)."
                    + " The file has all of the job's memory, with the secrets that are in it, and"
                    + " the files that it writes to on this node's own file systems. It has not:"
                    + " the image, files that the job only reads, and files on remote file systems;"
                    + " these have to be there when it is restored.",
            "",
            "Encrypted: migrator checkpoint NAME --leave-running -o - | age -r KEY > FILE",
        })
final class CheckpointCommand implements Callable<Integer> {
    private static final double MEGA = 1e6;
    private static final String OUTPUT = "-";
    private static final int KEEP = 3;

    @Parameters(paramLabel = "NAME", description = "One of your instances on this node.")
    private String name = "";

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "FILE",
            description = "Where to keep it; - is standard output.")
    private String output = "";

    @Option(names = "--leave-running", description = "The job runs on.")
    private boolean leaveRunning;

    @Option(names = "--force", description = "Replace FILE if it exists.")
    private boolean force;

    @Option(
            names = "--every",
            defaultValue = "",
            paramLabel = "TIME",
            description = {
                "Keep it again and again, until it ends or Ctrl-C or SIGTERM comes; the job runs"
                        + " on. The files are FILE.000001 and so on, and FILE is a link to the"
                        + " newest. Most of them have only what changed since the one before."
            })
    private String every = "";

    @Option(
            names = "--keep",
            defaultValue = "3",
            paramLabel = "N",
            description =
                    "How many of them can be restored, the newest (default: ${DEFAULT-VALUE});"
                            + " what these need stays, too.")
    private int keep = KEEP;

    @Option(
            names = "--compress",
            defaultValue = "auto",
            paramLabel = "auto|none|lz4",
            description = "Compress the memory (default: ${DEFAULT-VALUE}).")
    private Compression compress = Compression.AUTO;

    @Option(
            names = "--timeout",
            defaultValue = "10m",
            paramLabel = "TIME",
            description =
                    "Give up when a step takes longer: 90s, 10m, 1h (default: ${DEFAULT-VALUE}).")
    private String timeout = "10m";

    @Option(names = "--json", description = "Print the result as one JSON object.")
    private boolean json;

    @Mixin private Wishes wishes;

    @Override
    public Integer call() throws Problem, InterruptedException {
        try {
            Wishes.Told told = orMisused();
            if (every.isEmpty()) {
                report(Attempts.of(() -> once(told)));
            } else {
                periodic(told).run();
            }
            return ExitCode.DONE.code();
        } catch (Problem problem) {
            if (json) {
                Terminal.out(Json.text(Result.of(name, problem)));
            }
            throw problem;
        }
    }

    private Outcome once(Wishes.Told told) throws Problem, InterruptedException {
        Path file = output.equals(OUTPUT) ? null : place();
        Instance instance = Instances.ofThisUser().get(name);
        try (TerminalProgress progress = new TerminalProgress();
                ArchiveTarget target =
                        new ArchiveTarget(file, force, null, Version.text(), compress)) {
            ArchiveNode node = new ArchiveNode(file == null ? Path.of(OUTPUT) : file);
            Duration limit = Span.of("--timeout", timeout);
            Migration migration = told.on(new Migration(instance, target, node, progress, limit));
            Interruption.calls(migration::cancel);
            return migration.checkpoint(leaveRunning);
        }
    }

    private Path place() {
        return Path.of(output).toAbsolutePath().normalize();
    }

    private Checkpoints periodic(Wishes.Told told) throws Problem {
        return new Checkpoints(
                Instances.ofThisUser().get(name),
                new ArchiveShelf(place(), keep),
                told,
                compress,
                Span.of("--every", every),
                Span.of("--timeout", timeout),
                this::report);
    }

    private Wishes.Told orMisused() throws Problem {
        Wishes.Told told = wishes.told();
        if (told.memory().way() == MemoryWish.Way.HYBRID) {
            throw Problem.usage("--memory hybrid does not go with a file")
                    .because("nobody could ask it for what is still to come")
                    .tryThis("--memory auto");
        }
        if (keep != KEEP && every.isEmpty() || keep < 1) {
            throw Problem.usage("--keep is a number from 1 on, and goes with --every");
        }
        if (!every.isEmpty()) {
            Span.of("--every", every);
            leaveRunning = true;
            if (output.equals(OUTPUT) || force) {
                throw Problem.usage("--every goes with neither -o - nor --force")
                        .because("it makes several files, and replaces none")
                        .tryThis("-o FILE: the files are FILE.000001 and so on");
            }
        }
        orFitForPipe(output.equals(OUTPUT));
        return told;
    }

    private void orFitForPipe(boolean piped) throws Problem {
        if (piped && !leaveRunning) {
            throw Problem.usage("-o - goes with --leave-running only")
                    .because("what becomes of a pipe's other end is not known here")
                    .tryThis("add --leave-running, or name a file");
        }
        if (piped && json) {
            throw Problem.usage("-o - does not go with --json")
                    .because("both want standard output")
                    .tryThis("leave out one of them");
        }
        if (piped && System.console() != null && System.console().isTerminal()) {
            throw Problem.usage("an archive is not for a terminal")
                    .tryThis("migrator checkpoint " + name + " --leave-running -o - > FILE");
        }
    }

    private void report(Outcome outcome) {
        String line =
                "'%s' is kept in %s: %.0f MB of memory in %.0f MB; it stood still for %.0f ms and"
                        + " %s";
        Terminal.err(
                line.formatted(
                        name,
                        outcome.to(),
                        outcome.memoryBytes() / MEGA,
                        outcome.sentBytes() / MEGA,
                        outcome.frozenMillis(),
                        leaveRunning ? "runs on" : "was ended"));
        if (json) {
            Terminal.out(Json.text(Result.of(outcome)));
        }
    }
}
