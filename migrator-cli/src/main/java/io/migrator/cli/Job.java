package io.migrator.cli;

import io.migrator.files.FileRules;
import io.migrator.files.FileWish;
import io.migrator.instance.Instance;
import io.migrator.instance.Instances;
import io.migrator.memory.Pace;
import io.migrator.memory.Tracking;
import io.migrator.migration.MemoryWish;
import io.migrator.migration.Migration;
import io.migrator.network.NetworkWish;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;

/** What the commands have in common that move a job, or ask whether it could move. */
final class Job {
    @Parameters(paramLabel = "NAME", description = "One of your instances on this node.")
    private String name = "";

    @Mixin private FarSide farSide;

    @Option(
            names = "--network",
            defaultValue = "auto",
            paramLabel = "auto|service-ip=ADDRESS/LENGTH@DEVICE|own|close|listen-only|refuse",
            description = "What becomes of the job's connections (default: ${DEFAULT-VALUE}).")
    private String network = "auto";

    @Option(
            names = "--rebind",
            description =
                    "What listens at an address of this node listens at the target's address of"
                            + " the same interface. Whoever was told the old address does not find"
                            + " it.")
    private boolean rebind;

    @Option(
            names = "--memory",
            defaultValue = "auto",
            paramLabel = "auto|stop|precopy|hybrid",
            description =
                    "How the memory travels: while the job stands still (stop), or before, in"
                            + " rounds while it runs (precopy); or so, and what it writes too fast"
                            + " for that follows when it runs on the other node (hybrid): if this"
                            + " node dies meanwhile the job is lost. Default: ${DEFAULT-VALUE}, in"
                            + " rounds where the job's writes can be seen.")
    private MemoryWish.Way memory = MemoryWish.Way.AUTO;

    @Option(
            names = "--track",
            defaultValue = "auto",
            paramLabel = "auto|protect|hash",
            description =
                    "How the job's writes are seen while its memory travels: by the kernel's write"
                            + " protection, or by hashes of all pages, which is slower, also while"
                            + " the job stands still, but sees more (O_DIRECT). Default:"
                            + " ${DEFAULT-VALUE}, hashes where write protection cannot be.")
    private Tracking tracking = Tracking.AUTO;

    @Option(
            names = "--downtime",
            defaultValue = "5ms",
            paramLabel = "TIME",
            description =
                    "So long sending the last of the memory may take while the job stands still"
                            + " (default: ${DEFAULT-VALUE}).")
    private String downtime = "5ms";

    /** What is done with a job that writes more than the rounds carry. */
    enum TooFast {
        GO,
        STAY
    }

    @Option(
            names = "--too-fast",
            defaultValue = "go",
            paramLabel = "go|stay",
            description =
                    "If the job writes so fast that --downtime cannot be kept: it goes all the"
                            + " same, or it stays and the figures are told (default:"
                            + " ${DEFAULT-VALUE}).")
    private TooFast tooFast = TooFast.GO;

    @Option(
            names = "--bandwidth",
            defaultValue = "",
            paramLabel = "RATE",
            description =
                    "Most that the memory takes of the link while the job runs, such as 2Gbit or"
                            + " 100MB (a second). What is left for the time in which it stands"
                            + " still goes as fast as it can.")
    private String bandwidth = "";

    @Option(
            names = "--files",
            defaultValue = "auto",
            paramLabel = "auto|shared|carry",
            description =
                    "Files that the target has not: those that the job uses go along (auto), or the"
                            + " job is refused (shared), or all goes along that is in the job's own"
                            + " directories, in use or not (carry). Default: ${DEFAULT-VALUE}.")
    private FileWish.Way files = FileWish.Way.AUTO;

    @Option(
            names = "--file-rules",
            paramLabel = "FILE",
            description =
                    "What becomes of single files, as the job calls them: lines 'carry PATTERN' (in"
                            + " use or not), 'shared PATTERN', 'leave PATTERN' (unless in use),"
                            + " 'refuse PATTERN'; the first that fits counts.")
    private @Nullable Path fileRules;

    /** What may be done though it is refused without being asked for. */
    enum Allowed {
        OVERWRITE
    }

    @Option(
            names = "--allow",
            split = ",",
            paramLabel = "overwrite",
            description = "Let files of the job replace others on the target.")
    private Set<Allowed> allowed = EnumSet.noneOf(Allowed.class);

    @Option(names = "--json", description = "Print the result as one JSON object.")
    private boolean json;

    /** What is asked of a migration. */
    @FunctionalInterface
    interface Question<T> {
        T of(Migration migration) throws Problem, InterruptedException;
    }

    /** A command's work. */
    @FunctionalInterface
    interface Work {
        void run() throws Problem, InterruptedException;
    }

    String name() {
        return name;
    }

    boolean json() {
        return json;
    }

    /** Connects to the target, asks, and lets go of it. Ctrl-C cancels. */
    <T> T ask(Question<T> question) throws Problem, InterruptedException {
        farSide.validate();
        NetworkWish wish = wish();
        MemoryWish memoryWish = memory();
        FileWish fileWish = files();
        Instance instance = Instances.ofThisUser().get(name);
        try (TerminalProgress progress = new TerminalProgress();
                FarSide.Link link = farSide.connect()) {
            Migration migration =
                    new Migration(
                                    instance,
                                    link.target(),
                                    link.node(),
                                    progress,
                                    farSide.timeLimit())
                            .network(wish)
                            .memory(memoryWish)
                            .files(fileWish);
            Interruption.calls(migration::cancel);
            return question.of(migration);
        }
    }

    private FileWish files() throws Problem {
        return new FileWish(
                files,
                allowed.contains(Allowed.OVERWRITE),
                fileRules == null ? FileRules.NONE : FileRules.read(fileRules));
    }

    private NetworkWish wish() throws Problem {
        try {
            return NetworkWish.parse(network).rebinding(rebind);
        } catch (IllegalArgumentException e) {
            throw Problem.usage("--network is not understood")
                    .because(e.getMessage())
                    .tryThis("migrator migrate --help");
        }
    }

    private MemoryWish memory() throws Problem {
        if (!bandwidth.isEmpty() && memory == MemoryWish.Way.STOP) {
            throw Problem.usage("--bandwidth does not go with --memory stop")
                    .because("it is for what is sent while the job runs")
                    .tryThis("leave out one of them");
        }
        boolean stays = tooFast == TooFast.STAY;
        if (stays && (memory == MemoryWish.Way.STOP || memory == MemoryWish.Way.HYBRID)) {
            throw Problem.usage("--too-fast stay does not go with --memory stop or hybrid")
                    .because("it is for a job whose memory goes in rounds and not in another way")
                    .tryThis("leave out one of them");
        }
        long bytesPerSecond =
                bandwidth.isEmpty() ? Pace.UNLIMITED : Bandwidth.of("--bandwidth", bandwidth);
        return new MemoryWish(
                memory, Span.of("--downtime", downtime), bytesPerSecond, tracking, stays);
    }

    /** Does the work; a script is told of a failure, too. */
    int exitOf(Work work) throws Problem, InterruptedException {
        try {
            work.run();
            return ExitCode.DONE.code();
        } catch (Problem problem) {
            if (json) {
                Terminal.out(Json.text(Result.of(name, problem)));
            }
            throw problem;
        }
    }
}
