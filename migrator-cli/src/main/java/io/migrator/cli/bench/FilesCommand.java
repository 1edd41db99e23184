package io.migrator.cli.bench;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;

import io.migrator.cli.report.Machine;
import io.migrator.lab.Lab;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;

@Command(
        name = "files",
        mixinStandardHelpOptions = true,
        description = {
            "How long a payload stands still that writes to files of n1 while it moves to n2, with"
                    + " a large file that it has open and does not write, and without.",
            "",
            "The gap is what the payload itself saw. Each round starts a new payload for each; the"
                    + " order changes from round to round; all files are read again by the payload"
                    + " after each move. The first round is not counted. Needs root.",
        })
final class FilesCommand implements Callable<Integer> {
    private static final String NAME = "bench-files";
    private static final String DIRECTORY = "/srv/migrator-bench";
    private static final String LOG = "/shared/migrator-bench-log";
    private static final String REPORT = "/root/.migrator/runs/" + NAME + "/report";
    private static final int QUIET_MILLIS = 3000;

    /** Sends a signal to the payload and prints the report that follows. */
    private static final String ASK =
            """
            seq() { grep -o '"seq":[0-9]*' %1$s 2>/dev/null; }
            before=$(seq)
            [[ $1 != none ]] || before=
            [[ $1 == none ]] || pkill -"$1" -x scribe || exit 9
            for _ in {1..6000}; do
                [[ $(seq) == "$before" ]] || exec cat %1$s
                sleep 0.02
            done
            exit 9
            """
                    .formatted(REPORT);

    @Option(
            names = "--mb",
            defaultValue = "2048",
            paramLabel = "N",
            description = "Length of the large file, in MiB (default: ${DEFAULT-VALUE}).")
    private int megabytes = 2048;

    @Option(
            names = "--rate",
            defaultValue = "1",
            paramLabel = "N",
            description =
                    "What it writes to other files in a second, in MB (default: ${DEFAULT-VALUE}).")
    private int rate = 1;

    @Option(
            names = "--repeat",
            defaultValue = "5",
            paramLabel = "N",
            description = "Rounds that count (default: ${DEFAULT-VALUE}).")
    private int repeat = 5;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the figures there.")
    private @Nullable Path json;

    @Option(names = "--csv", paramLabel = "FILE", description = "Write them there as a table, too.")
    private @Nullable Path csv;

    /** One move. */
    private record Move(double gapMillis, double noiseMillis, double frozenMillis, long bytes) {}

    /** The figures of one length, in its JSON; the second is beside the first. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record FilesCase(
            int fileMegabytes,
            int repeats,
            @Nullable Double gapMillis,
            @Nullable Double gapMinMillis,
            @Nullable Double gapMaxMillis,
            @Nullable Double frozenMillis,
            double sentBytes,
            @Nullable Double ratio) {}

    @Override
    public Integer call() throws Problem, InterruptedException {
        if (megabytes < 1 || rate < 0 || repeat < 1) {
            throw Problem.usage("--mb and --repeat are at least 1, --rate at least 0");
        }
        Results.orUnwritable(json, csv);
        Lab lab = Lab.ofThisDistribution();
        lab.up();
        List<Move> without = new ArrayList<>();
        List<Move> with = new ArrayList<>();
        List<Double> ratios = new ArrayList<>();
        try {
            for (int round = 0; round <= repeat; round++) {
                Move other = round % 2 == 0 ? null : move(lab, megabytes);
                Move one = move(lab, 0);
                Move two = other == null ? move(lab, megabytes) : other;
                if (round > 0) {
                    without.add(one);
                    with.add(two);
                    ratios.add(two.gapMillis / one.gapMillis);
                }
            }
        } finally {
            clean(lab);
        }
        FilesCase first = of(0, without, null);
        FilesCase second = of(megabytes, with, Sample.of(ratios).median());
        List<Move> all = new ArrayList<>(without);
        all.addAll(with);
        double noise = sample(all, Move::noiseMillis).median();
        tell(without, with, Sample.of(ratios), noise);
        new Results<>(Machine.here(), Results.figure(noise), List.of(first, second))
                .write(json, csv);
        return 0;
    }

    private Move move(Lab lab, int still) throws Problem, InterruptedException {
        clean(lab);
        lab.exec(
                        Site.DEADLINE,
                        LabSite.SOURCE,
                        List.of(
                                "migrator",
                                "run",
                                "--bind",
                                "/shared",
                                "--bind",
                                DIRECTORY + ":" + DIRECTORY,
                                LabSite.IMAGE,
                                NAME,
                                "--",
                                "/shared/bin/scribe",
                                "--dir",
                                DIRECTORY + "/job",
                                "--log",
                                LOG,
                                "--shm",
                                NAME,
                                "--sparse-mb",
                                "64",
                                "--still",
                                Integer.toString(still),
                                "--rate",
                                Integer.toString(rate),
                                "--report",
                                REPORT))
                .orFail("the payload could not be started");
        ask(lab, LabSite.SOURCE, "none");
        lab.exec(Site.DEADLINE, LabSite.SOURCE, List.of("sync"))
                .orFail("sync failed"); // else the payload waits for it
        ask(lab, LabSite.SOURCE, "USR1");
        Thread.sleep(QUIET_MILLIS);
        double noise = ask(lab, LabSite.SOURCE, "USR1").path("maxGapMillis").asDouble();
        JsonNode told =
                read(
                        lab.exec(
                                        Site.DEADLINE,
                                        LabSite.SOURCE,
                                        List.of(
                                                "migrator",
                                                "migrate",
                                                NAME,
                                                "--to",
                                                LabSite.TARGET,
                                                "--json"))
                                .orFail("migrator migrate failed")
                                .out());
        double gap = ask(lab, LabSite.TARGET, "USR1").path("maxGapMillis").asDouble();
        JsonNode checked = ask(lab, LabSite.TARGET, "USR2");
        if (!checked.path("ok").asBoolean() || !checked.path("node").asText().equals("n2")) {
            throw Problem.failed("the payload found its files wrong").because(checked.toString());
        }
        return new Move(
                gap, noise, told.path("frozenMillis").asDouble(), told.path("sentBytes").asLong());
    }

    private static JsonNode ask(Lab lab, String node, String signal)
            throws Problem, InterruptedException {
        return read(
                lab.exec(Site.DEADLINE, node, List.of("bash", "-c", ASK, "bash", signal))
                        .orFail("the payload does not answer")
                        .out());
    }

    private static JsonNode read(String text) throws Problem {
        try {
            return Results.JSON.readTree(text.strip());
        } catch (JsonProcessingException e) {
            throw Problem.failed("no JSON where one was to be").because(text);
        }
    }

    /** Wherever the payload is. */
    private static void clean(Lab lab) throws Problem, InterruptedException {
        String line =
                "apptainer instance stop %1$s >/dev/null 2>&1; rm -rf %2$s %3$s /dev/shm/%1$s"
                        + " /root/.migrator/runs/%1$s* && mkdir -p -m 1777 %2$s";
        for (String node : List.of(LabSite.SOURCE, LabSite.TARGET)) {
            lab.exec(
                            Site.DEADLINE,
                            node,
                            List.of("bash", "-c", line.formatted(NAME, DIRECTORY, LOG)))
                    .orFail("the node could not be cleaned");
        }
    }

    private static Sample sample(List<Move> moves, ToDoubleFunction<Move> figure) {
        return Sample.of(moves.stream().mapToDouble(figure).boxed().toList());
    }

    private static FilesCase of(int megabytes, List<Move> moves, @Nullable Double ratio) {
        Sample gap = sample(moves, Move::gapMillis);
        return new FilesCase(
                megabytes,
                moves.size(),
                Results.figure(gap.median()),
                Results.figure(gap.min()),
                Results.figure(gap.max()),
                Results.figure(sample(moves, Move::frozenMillis).median()),
                sample(moves, Move::bytes).median(),
                ratio == null ? null : Results.figure(ratio));
    }

    private void tell(List<Move> without, List<Move> with, Sample ratios, double noise) {
        System.out.printf(
                Locale.ROOT,
                "gap without %s ms, with %d MiB open %s ms; ratio %s; frozen, told: %s and %s ms;"
                        + " noise %.1f ms; %d rounds, all files right%n",
                sample(without, Move::gapMillis).text("%.0f"),
                megabytes,
                sample(with, Move::gapMillis).text("%.0f"),
                ratios.text("%.2f"),
                sample(without, Move::frozenMillis).text("%.0f"),
                sample(with, Move::frozenMillis).text("%.0f"),
                noise,
                with.size());
    }
}
