package io.migrator.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The unified hierarchy of cgroups (cgroups(7), version 2), as far as it is mounted here. Version 1
 * hierarchies are left alone.
 */
public final class Cgroup {
    private static final String UNIFIED = "0::";

    private Cgroup() {}

    /**
     * Moves this process into the cgroup of another, so that what it starts is accounted there.
     *
     * @return false if the hierarchy is not mounted or not ours to write
     */
    public static boolean join(Proc other) throws IOException {
        String theirs = pathOf(other);
        if (theirs.equals(pathOf(Proc.self()))) {
            return true;
        }
        Optional<Path> mount = mount();
        Path procs = mount.orElse(Path.of("/")).resolve("." + theirs).resolve("cgroup.procs");
        if (mount.isEmpty() || !Files.isWritable(procs)) {
            return false;
        }
        Files.writeString(procs, Long.toString(Proc.self().pid()));
        return true;
    }

    private static String pathOf(Proc process) throws IOException {
        return Files.readAllLines(process.file("cgroup")).stream()
                .filter(line -> line.startsWith(UNIFIED))
                .map(line -> line.substring(UNIFIED.length()))
                .findFirst()
                .orElse("/");
    }

    private static Optional<Path> mount() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/mounts")).stream()
                .map(line -> List.of(line.split(" ")))
                .filter(fields -> fields.get(2).equals("cgroup2"))
                .map(fields -> Path.of(fields.get(1)))
                .findFirst();
    }
}
