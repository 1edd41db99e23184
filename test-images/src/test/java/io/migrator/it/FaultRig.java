package io.migrator.it;

import static io.migrator.it.TwoNodes.BOTH;
import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import io.migrator.linux.Command;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Does one case of the table on two swept nodes and tells what came of it. */
final class FaultRig {
    private static final long END_SECONDS = 115;
    private static final long CLEAN_NANOS = 8_000_000_000L;
    private static final int LINES = 6;

    private final TwoNodes nodes;
    private final Person person;
    private final FaultWay way;
    private final FaultCase expected;
    private final FaultBlow blow;
    private final List<String> wrong = new ArrayList<>();
    private final StringBuilder said = new StringBuilder();
    private FaultJob job;
    private Snapshot withJob;

    private FaultRig(TwoNodes nodes, FaultWay way, FaultCase expected) {
        this.nodes = nodes;
        this.person = way.person(nodes);
        this.way = way;
        this.expected = way.of(expected);
        this.blow = new FaultBlow(nodes, expected.point());
    }

    /** Does it. The nodes have to be swept. */
    static FaultSeen run(TwoNodes nodes, FaultWay way, FaultCase expected) throws Exception {
        return new FaultRig(nodes, way, expected).run();
    }

    private FaultSeen run() throws Exception {
        try {
            return seen();
        } finally {
            if (job != null) {
                job.endClient();
            }
        }
    }

    private FaultSeen seen() throws Exception {
        job =
                FaultJob.start(
                        nodes, way, way.ofRoot() && expected.fault().needsSpread(expected.point()));
        withJob = nodes.snapshot(N1);
        blow.arm();
        long begun = System.nanoTime();
        Moved moved = move();
        double seconds = (System.nanoTime() - begun) / 1e9;
        said.append(moved.err());
        String atOnce = job.tally().grows();
        blow.heal();
        recover();
        String after = job.tally().grows();
        boolean runs = BOTH.contains(after);
        String connection = "-";
        if (runs) {
            wrong.addAll(job.verify(after));
            connection = expected.talks() ? job.connection(after) : "-";
            assertClean(after);
        }
        Tally tally = job.tally();
        return new FaultSeen(
                expected.name(),
                moved.exit(),
                atOnce,
                after,
                connection,
                tally.doubled(),
                tally.lost(),
                List.copyOf(wrong),
                seconds,
                said.toString());
    }

    private Moved move() throws Exception {
        CompletableFuture<Moved> moving =
                Moving.start(() -> person.migrate(N1, FaultJob.NAME, way.migrates()));
        blow.await(moving);
        blow.strike(expected.fault());
        return moving.get(END_SECONDS, TimeUnit.SECONDS);
    }

    /** Once on each node; a second time on n1 only so that the next case finds it clean. */
    private void recover() throws Exception {
        int exit = recover(N1);
        recover(N2);
        if (exit != 0) {
            recover(N1);
        }
    }

    private int recover(String node) throws Exception {
        Command.Result result = person.run(node, "migrator", "recover");
        said.append("recover on %s: %d\n".formatted(node, result.exit()));
        said.append(result.out()).append(result.err());
        if (result.exit() != 0) {
            wrong.add("recover on %s exits %d".formatted(node, result.exit()));
        }
        return result.exit();
    }

    /** What may stay is tombstones. */
    private void assertClean(String runsOn) throws Exception {
        if (runsOn.equals(N1)) {
            wrong.addAll(left(N1, withJob));
        } else {
            job.stopOnTarget();
            wrong.addAll(left(N1, nodes.before(N1)));
        }
        wrong.addAll(left(N2, nodes.before(N2)));
    }

    private List<String> left(String node, Snapshot earlier) throws Exception {
        long end = System.nanoTime() + CLEAN_NANOS;
        String difference = difference(node, earlier);
        while (!difference.isEmpty() && System.nanoTime() < end) {
            Thread.sleep(300);
            difference = difference(node, earlier);
        }
        return difference.isEmpty() ? List.of() : List.of(node + " differs: " + difference);
    }

    private String difference(String node, Snapshot earlier) throws Exception {
        List<String> lines =
                earlier.difference(nodes.snapshot(node))
                        .lines()
                        .filter(line -> !line.isBlank() && !isTombstone(line))
                        .toList();
        String more = lines.size() > LINES ? " and %d more".formatted(lines.size() - LINES) : "";
        return String.join(" ", lines.subList(0, Math.min(LINES, lines.size()))) + more;
    }

    /** A file of the journal's directory, that directory, and the one above it. */
    private static boolean isTombstone(String line) {
        return line.matches("\\+ file: /dev/shm/migrator-\\w+(/journal(/\\S+)?)? .*");
    }
}
