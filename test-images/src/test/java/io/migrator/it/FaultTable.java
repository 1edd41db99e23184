package io.migrator.it;

import io.migrator.fault.FaultPoint;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The table of faults, what was seen of it, and docs/faults.md, which is made of both. */
final class FaultTable {
    private static final String HEAD =
            """
            # What comes of a fault at every step

            Generated from `test-images/src/test/resources/faults.tsv`, which was written before the run, and from
            `faults-WAY.tsv` beside it, which the runs wrote; `FaultTableTest` fails if this page is old. `FaultTableIT`
            (`mvn verify -Plong -Dit.test=FaultTableIT -Dfaults.way=WAY`) does every case with real nodes, `FaultSampleIT` a few
            of them in that profile too. The ways: `precopy` as it is done unasked; `stop`, `hybrid` by `--memory` (with a job
            that does not write too fast: HybridIT has faults while memory follows); `stream`, where the job has an address of
            its own and a fourth program, to which a client on a third machine streams 4 MB/s and hears as much, each byte
            checked on both sides; `own`, the same in a network of its own; `user` and `setuid`, a job of an ordinary user
            without a connection, in a user namespace or by Apptainer's setuid starter. In `stream` and `own` the
            connection, and the one on loopback, have to be alive in every case but the two named below. An empty cell was
            not run so.

            A case: one instance on n1 with three programs in it (`tally`, which appends its next number and its node to a file
            that both nodes see; `pattern` with 64 MB; `converse`, a TCP connection on loopback) is migrated to n2 and held at the
            point; the fault comes; the hold ends. **exit** is that of `migrate` (0 moved, 1 failed and on n1 as before, 4
            undecided, 137 killed). **at once** is where the job runs when `migrate` has ended, **after** where it runs when
            `migrator recover` has run once on n1 and then once on n2; **stands** means that no program of it runs anywhere. In
            every case no number of `tally` may be missing or come twice, every page has to be right, nothing may be left on
            either node but tombstones, and both `recover` have to exit 0.

            The connection has to be **alive** wherever the job ends on n1 and was not granted; elsewhere (`-`) it is looked at.
            Two cases are left out of that: at source-held the sockets are in repair mode and the job is not sealed, and
            whoever could have ended that is dead or too late. The product is at that point for less than a millisecond.

            The rules behind the expectations:

            1. Before GRANT is journaled on n1 the job ends on n1, whatever happens. It runs at once if anyone of the source's side
               is left to let it go, or if it was not sealed yet; else it stands until `recover`.
            2. From then on only n2's word counts. If n2 never let the job run, it ends on n1, else on n2. Who is alive on n1
               asks n2 for up to 30 s; if n2 does not answer, exit 4.
            3. n1's programs die only when n2 said RUNNING.
            4. A journal that cannot be written (full) is a failure before the step it stands for; after RUNNING, or for a step
               that changes nobody's right to run, it is a warning.
            5. The receiver gives up after 25 s without a word of the source, so a source that sleeps for 30 s before GRANT
               arrived finds a target that refused. A receiver that sleeps for 30 s goes on where it was. A link is given up
               after 15 s of silence, so one that heals after 5 s is nothing.

            A job that lies in one cgroup is sealed by freezing that, and `migrator` itself ends criu then. So after the seal
            the cases that kill criu, the foothold or all of the source's side are done with a job in two cgroups, which is
            sealed by signals.

            Run on 2026-12-01: `hybrid` with `source-side`, `receiver` and `target-side`; `stop`, `own`, `user` and `setuid` with
            `source-side` and `target-side`; `precopy` with all faults but `cut`, `stop-own` and `stop-other` from
            source-dumping (stop-other) and source-held on, which are of 21 November; `stream` is of the 29th. Two labs shared two cores.

            Left out, for want of a victim: criu, foothold and "all of the source's side" before the dump and after the end of
            the old processes (until then the side is the JVM alone); criu and "all of the target's side" before the target is
            prepared and from the moment the job runs there. At source-granted the target has done its part by the time of
            the fault.

            """;

    private final List<FaultCase> cases;

    /** What was seen, a line of cells by the case, in each way that was run. */
    private final Map<FaultWay, Map<String, String[]>> seen;

    private FaultTable(List<FaultCase> cases, Map<FaultWay, Map<String, String[]>> seen) {
        this.cases = cases;
        this.seen = seen;
    }

    static FaultTable load() throws IOException {
        Map<FaultWay, Map<String, String[]>> seen = new EnumMap<>(FaultWay.class);
        for (FaultWay way : FaultWay.values()) {
            Map<String, String[]> cases = seen("/" + way.file());
            if (!cases.isEmpty()) {
                seen.put(way, cases);
            }
        }
        return new FaultTable(
                resource("/faults.tsv").stream().map(FaultCase::parse).toList(), seen);
    }

    private static Map<String, String[]> seen(String name) throws IOException {
        Map<String, String[]> seen = new LinkedHashMap<>();
        for (String line : resource(name)) {
            String[] cells = line.split("\t", -1);
            seen.put(cells[0], cells);
        }
        return seen;
    }

    /** Lines but the first; none if there is no such file. */
    private static List<String> resource(String name) throws IOException {
        try (InputStream in = FaultTable.class.getResourceAsStream(name)) {
            return in == null
                    ? List.of()
                    : new String(in.readAllBytes(), StandardCharsets.UTF_8)
                            .lines()
                            .skip(1)
                            .toList();
        }
    }

    List<FaultCase> cases() {
        return cases;
    }

    FaultCase named(String name) {
        return cases.stream()
                .filter(each -> each.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no case " + name));
    }

    String markdown() {
        StringBuilder text = new StringBuilder(HEAD);
        text.append("## The faults\n\n");
        for (Fault fault : Fault.values()) {
            text.append("- `%s`: %s\n".formatted(fault.text(), fault.description()));
        }
        text.append("\n## The %d cases\n\n".formatted(cases.size()));
        seen.forEach((way, all) -> text.append("- %s: %s\n".formatted(way.title(), of(all))));
        Arrays.stream(FaultPoint.values()).forEach(point -> section(text, point));
        return text.toString();
    }

    private static String of(Map<String, String[]> seen) {
        long differing = seen.values().stream().filter(cells -> !cells[8].isEmpty()).count();
        return "%d cases, %d doubled, %d lost, %d that differ"
                .formatted(seen.size(), sum(seen, 5), sum(seen, 6), differing);
    }

    private static long sum(Map<String, String[]> seen, int column) {
        return seen.values().stream().mapToLong(cells -> Long.parseLong(cells[column])).sum();
    }

    private void section(StringBuilder text, FaultPoint point) {
        text.append("\n### %s: %s\n\n".formatted(point.text(), point.description()));
        if (point.ofHybrid()) {
            text.append("Only of a hybrid migration: HybridIT.\n");
            return;
        }
        text.append("| fault | exit | at once | after | connection |");
        seen.keySet().forEach(way -> text.append(" %s |".formatted(way.title())));
        text.append("\n|---|---|---|---|---|").append("---|".repeat(seen.size())).append('\n');
        for (FaultCase each : cases) {
            if (each.point() == point) {
                text.append(
                        "| %s | %d | %s | %s | %s |"
                                .formatted(
                                        each.fault().text(),
                                        each.exit(),
                                        each.atOnce(),
                                        each.after(),
                                        each.talks() ? "alive" : "-"));
                seen.forEach((way, all) -> text.append(" %s |".formatted(cell(way.of(each), all))));
                text.append('\n');
            }
        }
    }

    private static String cell(FaultCase each, Map<String, String[]> seen) {
        String[] cells = seen.get(each.name());
        if (cells == null) {
            return "";
        }
        boolean told = !each.talks() && !cells[4].equals("-");
        String connection = told ? ", connection " + cells[4] : "";
        return (cells[8].isEmpty() ? "as expected" : cells[8].replace("|", "/")) + connection;
    }
}
