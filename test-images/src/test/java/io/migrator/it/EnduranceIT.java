package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A job goes to and fro under a steady client from outside, {@code -Dmoves=N} times (1000): no move
 * fails, no page and no record is wrong, and nothing grows on either node or in the job.
 */
@Tag("long") // an hour
class EnduranceIT {
    private static final int MOVES = Integer.getInteger("moves", 1000);
    private static final int BETWEEN = 50;

    /** Until here caches fill, and the job's memory with what its programs touch. */
    private static final int SETTLED = 2;

    private static final String RESIDENT = "job: resident kB";

    /** A page more or less of a stack is no leak; of a thousand moves each would be 4 MB. */
    private static final double MORE = 1.02;

    /** What could grow, a number a line; sshd's log is the lab's, and does. */
    private static final String COUNT =
            """
            say() { echo "$1=$2"; }
            say processes $(ps -e --no-headers | wc -l)
            say mounts $(wc -l </proc/1/mounts)
            say tables $(nft list tables | wc -l)
            say cgroups $(find /sys/fs/cgroup -type d | wc -l)
            say "files in memory" $(find /dev/shm /run /tmp -xdev | wc -l)
            say "kB of files in memory" $(du -sxk --exclude=sshd.log /dev/shm /run /tmp | awk '{ n += $1 } END { print n }')
            say journals $(find /dev/shm -path '*/journal/*' | wc -l)
            say "records of instances" $(find /root/.apptainer/instances /root/.migrator -type f | wc -l)
            say addresses $(ip -br address | wc -w)
            say routes $(ip route show table all | wc -l)
            job=$(pgrep -x 'pattern|stream' | tr '\\n' ' ')
            for pid in $job; do
                say descriptors $(ls /proc/$pid/fd | wc -l)
                say threads $(ls /proc/$pid/task | wc -l)
                say mappings $(wc -l </proc/$pid/maps)
                say "resident kB" $(awk '/^VmRSS/ { print $2 }' /proc/$pid/status)
            done | awk -F= '{ n[$1] += $2 } END { for (each in n) print "job: " each "=" n[each] }'
            """;

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    private final List<Map<String, Long>> counts = new ArrayList<>();

    @Test
    void toAndFro() throws Exception {
        start();
        try (Outside client =
                Outside.start(
                        NODES,
                        "stream",
                        "client",
                        "--to",
                        FaultJob.ADDRESS + ":7000",
                        "--rate-kb",
                        "64")) {
            count(0);
            String at = N1;
            for (int move = 1; move <= MOVES; move++) {
                String from = at;
                int number = move;
                Moved moved = NODES.migrate(at, "job");
                assertEquals(0, moved.exit(), () -> number + " from " + from + ": " + moved.err());
                at = TwoNodes.other(at);
                if (move % BETWEEN == 0) {
                    NODES.verify(at, "job");
                    JsonNode told = client.report();
                    assertEquals(0, told.path("errors").asLong(), told::toString);
                    assertEquals(0, told.path("lost").asLong(), told::toString);
                    assertEquals(1, told.path("connections").asLong(), told::toString);
                    count(move);
                }
            }
            assertFlat();
        }
    }

    private static void start() throws Exception {
        String line =
                "/shared/bin/stream server --port 7000 --bind %s --report %s/server &"
                        + " exec /shared/bin/pattern --mb 16 --rate 5 --report %s";
        NODES.start(
                N1,
                "job",
                FaultJob.SERVICE,
                "sh",
                "-c",
                line.formatted(
                        FaultJob.ADDRESS, TwoNodes.directory("job"), TwoNodes.report("job")));
        NODES.awaitFile(N1, TwoNodes.report("job"));
        NODES.awaitFile(N1, TwoNodes.directory("job") + "/server");
    }

    /** With the job on n1 again, of both nodes. */
    private void count(int moves) throws Exception {
        Map<String, Long> count = new TreeMap<>();
        for (String node : TwoNodes.BOTH) {
            for (String line : NODES.bash(node, COUNT).lines().toList()) {
                String[] words = line.split("=", 2);
                count.put(node + " " + words[0], Long.parseLong(words[1].strip()));
            }
        }
        System.out.println("endurance: after " + moves + " moves " + count);
        counts.add(count);
    }

    private void assertFlat() {
        Map<String, Long> first = counts.get(Math.min(SETTLED, counts.size() - 1));
        Map<String, Long> last = counts.getLast();
        assertEquals(first.keySet(), last.keySet());
        first.forEach((what, before) -> {
            long most = what.endsWith(RESIDENT) ? (long) (before * MORE) : before;
            assertTrue(
                    last.get(what) <= most,
                    () -> what + ": " + before + ", then " + last.get(what));
        });
    }
}
