package io.migrator.migration;

import io.migrator.check.Finding;
import io.migrator.instance.Instance;
import io.migrator.instance.ProcessTree;
import io.migrator.linux.Proc;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * System V semaphores, message queues and shared memory (sysvipc(7)). Instances share the node's:
 * criu leaves them behind and says nothing, or fails where the memory is mapped. The kernel knows
 * which processes made or used memory and queues; of semaphores, and of queues that nobody used
 * yet, it does not, so one that the job's user has made since the instance was started is taken for
 * the job's.
 */
final class SystemVChecks {
    private static final Path FILES = Path.of("/proc/sysvipc");

    /** Times here are in whole seconds. */
    private static final long SLACK_SECONDS = 2;

    /** File, name of the id in its head, and what one is called. */
    private enum Kind {
        SEMAPHORES("sem", "semid", "a semaphore set"),
        QUEUE("msg", "msqid", "a message queue"),
        MEMORY("shm", "shmid", "shared memory");

        private final String file;
        private final String id;
        private final String text;

        Kind(String file, String id, String text) {
            this.file = file;
            this.id = id;
            this.text = text;
        }
    }

    private SystemVChecks() {}

    /** What forbids the move. */
    static List<Finding> of(Instance instance, ProcessTree tree) {
        List<Finding> findings = new ArrayList<>();
        try {
            Traces traces = Traces.of(instance, tree);
            for (Kind kind : Kind.values()) {
                for (Map<String, Long> each : objects(kind)) {
                    if (traces.isOfJob(kind, each)) {
                        findings.add(finding(kind, each.getOrDefault(kind.id, -1L)));
                    }
                }
            }
        } catch (IOException e) {
            // a kernel without them, or appinit ended
        }
        return findings;
    }

    /**
     * By what an object is known as the job's.
     *
     * @param since seconds since 1970
     */
    record Traces(Set<Long> pids, Set<Long> users, Set<Long> mapped, long since) {
        private static final List<String> PIDS = List.of("cpid", "lpid", "lspid", "lrpid");
        static final Pattern MAPPING =
                Pattern.compile("(?dm)^\\S+ \\S+ \\S+ \\S+ (\\d{1,18}) +/SYSV.*$");

        static Traces of(Instance instance, ProcessTree tree) throws IOException {
            Set<Long> users = new HashSet<>();
            Set<Long> mapped = new HashSet<>();
            for (ProcessTree.Member member : tree.members()) {
                users.add((long) member.uid());
                mapped.addAll(mappedBy(member.process()));
            }
            long since = new Proc(instance.appinit()).startedAtSeconds() - SLACK_SECONDS;
            return new Traces(new HashSet<>(tree.hostPids()), users, mapped, since);
        }

        private static Set<Long> mappedBy(Proc process) {
            try {
                String maps = Files.readString(process.file("maps"), StandardCharsets.ISO_8859_1);
                return MAPPING.matcher(maps)
                        .results()
                        .map(found -> Long.parseLong(found.group(1)))
                        .collect(Collectors.toSet());
            } catch (IOException e) {
                return Set.of(); // it ended
            }
        }

        boolean isOfJob(Kind kind, Map<String, Long> object) {
            if (kind == Kind.MEMORY && mapped.contains(object.getOrDefault(kind.id, -1L))) {
                return true;
            }
            List<Long> known =
                    PIDS.stream()
                            .map(name -> object.getOrDefault(name, 0L))
                            .filter(pid -> pid != 0)
                            .toList();
            return known.isEmpty()
                    ? users.contains(object.getOrDefault("cuid", -1L))
                            && object.getOrDefault("ctime", 0L) >= since
                    : known.stream().anyMatch(pids::contains);
        }
    }

    private static List<Map<String, Long>> objects(Kind kind) throws IOException {
        List<String> lines =
                Files.readAllLines(FILES.resolve(kind.file), StandardCharsets.US_ASCII);
        String[] head = lines.getFirst().strip().split("\\s+");
        List<Map<String, Long>> found = new ArrayList<>();
        for (String line : lines.subList(1, lines.size())) {
            String[] cells = line.strip().split("\\s+");
            Map<String, Long> each = new TreeMap<>();
            for (int at = 0; at < Math.min(head.length, cells.length); at++) {
                each.put(head[at], Long.parseLong(cells[at]));
            }
            found.add(each);
        }
        return found;
    }

    private static Finding finding(Kind kind, long id) {
        return Finding.forbidden(
                "system-v",
                "the job uses %s, System V's number %d".formatted(kind.text, id),
                "it would stay on this node, and criu would say nothing",
                "use POSIX semaphores, queues and memory, which move; if it is not the job's but"
                        + " another program's of the same user, end that one");
    }
}
