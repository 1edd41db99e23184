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
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * System V semaphores, message queues and shared memory (sysvipc(7)). Instances share the node's:
 * criu leaves them behind and says nothing, or fails where the memory is mapped. Nobody can tell
 * which semaphores a process uses, so any that its user has made since the instance was started is
 * taken for the job's.
 */
final class SystemVChecks {
    private static final Path FILES = Path.of("/proc/sysvipc");

    /** Times here are in whole seconds. */
    private static final long SLACK_SECONDS = 2;

    /** File, name of the id in its head, what one is called, and ipcrm's option for it. */
    private enum Kind {
        SEMAPHORES("sem", "semid", "a semaphore set", "-s"),
        QUEUE("msg", "msqid", "a message queue", "-q"),
        MEMORY("shm", "shmid", "shared memory", "-m");

        private final String file;
        private final String id;
        private final String text;
        private final String remove;

        Kind(String file, String id, String text, String remove) {
            this.file = file;
            this.id = id;
            this.text = text;
            this.remove = remove;
        }
    }

    private SystemVChecks() {}

    /** What forbids the move. */
    static List<Finding> of(Instance instance, ProcessTree tree) {
        List<Finding> findings = new ArrayList<>();
        Set<Long> users =
                tree.members().stream().map(each -> (long) each.uid()).collect(Collectors.toSet());
        try {
            long since = new Proc(instance.appinit()).startedAtSeconds() - SLACK_SECONDS;
            for (Kind kind : Kind.values()) {
                for (Map<String, Long> each : objects(kind)) {
                    boolean young = each.getOrDefault("ctime", 0L) >= since;
                    if (young && users.contains(each.getOrDefault("cuid", -1L))) {
                        findings.add(finding(kind, each.getOrDefault(kind.id, -1L)));
                    }
                }
            }
        } catch (IOException e) {
            // a kernel without them, or appinit ended
        }
        return findings;
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
                "the job's user has made %s since it began, System V's number %d"
                        .formatted(kind.text, id),
                "it would stay on this node, and criu would say nothing",
                "use POSIX semaphores, queues and memory, which move; or, if it is not the job's:"
                        + " ipcrm %s %d when nobody needs it".formatted(kind.remove, id));
    }
}
