package io.migrator.cli;

import io.migrator.archive.ArchiveHead;
import io.migrator.archive.ArchiveReader;
import io.migrator.criu.DumpSummary;
import io.migrator.files.CarriedFile;
import io.migrator.linux.FileState;
import io.migrator.memory.HiddenPages;
import io.migrator.memory.JobPages;
import io.migrator.migration.Spool;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;

@Command(
        name = "inspect",
        mixinStandardHelpOptions = true,
        description =
                "Shows what is in the file that 'migrator checkpoint' made, and checks all of it;"
                        + " restores nothing.")
final class InspectCommand implements Callable<Integer> {
    private static final double MEGA = 1e6;

    /** What an archive claims to have is not to take more memory here than this needs. */
    private static final long MOST_BYTES = 1L << 42;

    private static final int OTHERS_READ = 044;

    /** Variables that often hold what nobody else may know. */
    private static final Pattern SECRET =
            Pattern.compile("(?i)TOKEN|SECRET|PASSW|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_?KEY");

    @Parameters(paramLabel = "FILE", description = "The archive; - is standard input.")
    private String file = "";

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    /** What is shown; the names are those of the JSON. */
    private record Shown(
            String file,
            String id,
            String made,
            String program,
            @Nullable String buildsOn,
            String node,
            String instance,
            String image,
            String imageDigest,
            String criu,
            String network,
            long archiveBytes,
            long memoryBytes,
            List<Process> processes,
            List<DumpSummary.OpenFile> openFiles,
            List<String> carriedFiles,
            List<String> neededFiles,
            List<String> sockets,
            Map<String, Integer> others,
            List<String> warnings) {}

    /** One process. */
    private record Process(int pid, int parent, String name, int threads, long memoryBytes) {}

    @Override
    public Integer call() throws Problem, InterruptedException {
        try (GivenArchive given = GivenArchive.of(file);
                Spool scratch = Spool.create("inspect" + ProcessHandle.current().pid())) {
            ArchiveReader.Contents contents = given.reader().contents();
            given.reader().images(scratch.directory());
            Shown shown =
                    shown(
                            given,
                            contents,
                            DumpSummary.of(scratch.directory()),
                            HiddenPages.of(scratch.directory()).all(MOST_BYTES));
            if (json) {
                Terminal.out(Json.text(shown));
            } else {
                print(shown);
            }
            return ExitCode.DONE.code();
        } catch (IOException e) {
            throw Problem.refused("the images in the archive cannot be read")
                    .because(e.getMessage());
        }
    }

    private Shown shown(
            GivenArchive given, ArchiveReader.Contents contents, DumpSummary dump, JobPages pages)
            throws IOException {
        FileState state = FileState.of(given.reader().file());
        ArchiveHead.Parent parent = contents.head().parent();
        return new Shown(
                file,
                contents.head().id().text(),
                Instant.ofEpochMilli(contents.head().millis()).toString(),
                contents.head().program(),
                parent == null ? null : parent.file(),
                contents.head().node(),
                contents.head().instance(),
                contents.kept().survey().image().path(),
                contents.kept().survey().image().digest(),
                contents.kept().survey().criuVersion(),
                network(contents),
                state.bytes(),
                pages.bytes(),
                dump.processes().stream()
                        .map(task ->
                                new Process(
                                        task.pid(),
                                        task.parent(),
                                        task.name(),
                                        task.threads(),
                                        pages.bytes(task.pid())))
                        .toList(),
                dump.files(),
                contents.files().stream()
                        .filter(each -> !each.directory())
                        .map(CarriedFile::path)
                        .toList(),
                contents.kept().stayed().stream().map(each -> each.identity().path()).toList(),
                dump.sockets(),
                dump.others(),
                warnings(contents, state));
    }

    private static String network(ArchiveReader.Contents contents) {
        return contents.kept().order().network().mode().name().toLowerCase(Locale.ROOT);
    }

    private static List<String> warnings(ArchiveReader.Contents contents, FileState state) {
        List<String> warnings = new ArrayList<>();
        warnings.add("the memory in it is not encrypted: passwords, keys and data of the job");
        if ((state.permissions() & OTHERS_READ) != 0) {
            warnings.add("others may read the file: chmod go-rwx it");
        }
        List<String> secrets =
                contents.kept().order().start().environment().keySet().stream()
                        .filter(each -> SECRET.matcher(each).find())
                        .sorted()
                        .toList();
        if (!secrets.isEmpty()) {
            warnings.add("the environment has " + String.join(", ", secrets));
        }
        return warnings;
    }

    private static void print(Shown shown) {
        Map<String, String> head = new LinkedHashMap<>();
        head.put("instance", shown.instance + " of " + shown.node);
        head.put("made", shown.made + " by " + shown.program + ", criu " + shown.criu);
        if (shown.buildsOn != null) {
            head.put("builds on", shown.buildsOn);
        }
        head.put("image", shown.image);
        head.put("", shown.imageDigest.isEmpty() ? "no digest" : "sha256 " + shown.imageDigest);
        head.put("network", shown.network);
        head.put(
                "size",
                "%.1f MB, %.1f MB of memory"
                        .formatted(shown.archiveBytes / MEGA, shown.memoryBytes / MEGA));
        head.forEach((name, text) -> Terminal.out("%-10s%s".formatted(name, text)));
        Terminal.out("processes");
        for (Process each : shown.processes) {
            Terminal.out(
                    "  %7d %-16s %3d threads %10.1f MB"
                            .formatted(each.pid, each.name, each.threads, each.memoryBytes / MEGA));
        }
        list("open files", shown.openFiles.stream().map(InspectCommand::line).toList());
        list("files in the archive", shown.carriedFiles);
        list("files that must be there", shown.neededFiles);
        list("sockets", shown.sockets);
        list(
                "other open things",
                shown.others.entrySet().stream()
                        .map(each -> each.getValue() + " " + each.getKey())
                        .toList());
        shown.warnings.forEach(text -> Terminal.err("migrator: warning: " + text));
    }

    private static String line(DumpSummary.OpenFile each) {
        return each.bytes() < 0
                ? each.path()
                : "%s (%.1f MB)".formatted(each.path(), each.bytes() / MEGA);
    }

    private static void list(String title, List<String> lines) {
        if (!lines.isEmpty()) {
            Terminal.out(title);
            lines.forEach(each -> Terminal.out("  " + each));
        }
    }
}
