package io.migrator.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What the cgroups that a process is in leave it of memory: each of them and each above it has a
 * limit, and counts what lies in its files' caches, which the kernel would give up. Both versions
 * (Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst), as far as mounted here.
 */
final class MemoryLimits {
    private static final Path SELF = Path.of("/proc/self");

    /** How the files of one version are called. */
    private record Names(String limit, String usage, String cache) {}

    private static final Names FIRST =
            new Names("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file");
    private static final Names SECOND = new Names("memory.max", "memory.current", "inactive_file");

    private MemoryLimits() {}

    /** Bytes that this process could still take; {@link Long#MAX_VALUE} if nothing is known. */
    static long room() throws IOException {
        return room(
                Files.readAllLines(SELF.resolve("cgroup")),
                Files.readAllLines(SELF.resolve("mountinfo")));
    }

    /**
     * The same of these texts.
     *
     * @param cgroups as in /proc/PID/cgroup (cgroups(7))
     * @param mounts as in /proc/PID/mountinfo (proc_pid_mountinfo(5))
     */
    static long room(List<String> cgroups, List<String> mounts) throws IOException {
        long least = Long.MAX_VALUE;
        for (String line : cgroups) {
            String[] fields = line.split(":", 3);
            boolean second = fields[0].equals("0") && fields[1].isEmpty();
            boolean inView = !fields[2].startsWith("/.."); // of the cgroup namespace
            if (!inView || (!second && !List.of(fields[1].split(",")).contains("memory"))) {
                continue;
            }
            for (Path directory : directories(mounts, second, fields[2])) {
                least = Math.min(least, room(directory, second ? SECOND : FIRST));
            }
        }
        return least;
    }

    /** Its own and those above it, up to where the hierarchy is mounted. */
    private static List<Path> directories(List<String> mounts, boolean second, String path) {
        List<Path> found = new ArrayList<>();
        for (String line : mounts) {
            String[] halves = line.split(" - ", 2);
            String[] fields = halves[0].split(" ");
            String[] of = halves[1].split(" ");
            boolean fits =
                    second
                            ? of[0].equals("cgroup2")
                            : of[0].equals("cgroup")
                                    && List.of(of[2].split(",")).contains("memory");
            if (!fits) {
                continue;
            }
            Path root = Path.of(fields[3]);
            Path mount = Path.of(fields[4]);
            Path own = Path.of(path).normalize();
            Path at = mount.resolve(own.startsWith(root) ? root.relativize(own) : Path.of(""));
            for (; at != null && at.startsWith(mount); at = at.getParent()) {
                found.add(at);
            }
        }
        return found;
    }

    private static long room(Path directory, Names names) throws IOException {
        Path limit = directory.resolve(names.limit);
        if (!Files.isReadable(limit) || !Files.isReadable(directory.resolve(names.usage))) {
            return Long.MAX_VALUE; // the topmost has none, or it is not in our view
        }
        String most = Files.readString(limit).strip();
        if (most.equals("max")) {
            return Long.MAX_VALUE;
        }
        long used = Long.parseLong(Files.readString(directory.resolve(names.usage)).strip());
        Map<String, Long> statistics =
                Files.readAllLines(directory.resolve("memory.stat")).stream()
                        .map(line -> line.split(" "))
                        .collect(
                                Collectors.toMap(
                                        words -> words[0], words -> Long.parseLong(words[1])));
        long kept = used - statistics.getOrDefault(names.cache, 0L);
        return Math.max(0, Long.parseLong(most) - Math.max(0, kept));
    }
}
