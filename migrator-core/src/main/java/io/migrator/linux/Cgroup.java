package io.migrator.linux;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * A cgroup of the unified hierarchy (cgroups(7), version 2), as far as it is mounted here. Version
 * 1 hierarchies are left alone. Any thread.
 *
 * @param directory under the hierarchy's mount point
 */
public record Cgroup(Path directory) {
    private static final String UNIFIED = "0::";
    private static final int LOOK_NANOS = 500_000;

    /** That in which a process is; empty if the hierarchy is not mounted. */
    public static Optional<Cgroup> of(Proc process) throws IOException {
        String path =
                Stream.of(Files.readString(process.file("cgroup")).split("\n"))
                        .filter(line -> line.startsWith(UNIFIED))
                        .map(line -> line.substring(UNIFIED.length()))
                        .findFirst()
                        .orElse("/");
        return mount().map(mount -> new Cgroup(mount.resolve("." + path).normalize()));
    }

    /** This user's whose name begins so, wherever they are in the hierarchy. */
    public static List<Cgroup> beginningWith(String prefix) throws IOException {
        Optional<Path> mount = mount();
        if (mount.isEmpty()) {
            return List.of();
        }
        List<Cgroup> found = new ArrayList<>();
        Files.walkFileTree(
                mount.get(),
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult preVisitDirectory(
                            Path each, BasicFileAttributes attributes) {
                        String name = String.valueOf(each.getFileName());
                        if (name.startsWith(prefix) && isOurs(each)) {
                            found.add(new Cgroup(each));
                        }
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFileFailed(Path each, IOException e) {
                        return FileVisitResult.CONTINUE; // gone, or closed to us
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(Path each, @Nullable IOException e) {
                        return FileVisitResult.CONTINUE;
                    }
                });
        return found;
    }

    private static boolean isOurs(Path path) {
        try {
            String owner = Files.getOwner(path, LinkOption.NOFOLLOW_LINKS).getName();
            return owner.equals(System.getProperty("user.name"));
        } catch (IOException e) {
            return false; // it went
        }
    }

    /** Its own name, without those above it. */
    public String name() {
        return String.valueOf(directory.getFileName());
    }

    /**
     * Moves this process into the cgroup of another, so that what it starts is accounted there.
     *
     * @return false if the hierarchy is not mounted or not ours to write
     */
    public static boolean join(Proc other) throws IOException {
        Optional<Cgroup> theirs = of(other);
        if (theirs.equals(of(Proc.self()))) {
            return true;
        }
        if (theirs.isEmpty() || !Files.isWritable(theirs.get().file("cgroup.procs"))) {
            return false;
        }
        return theirs.get().add(Proc.self().pid());
    }

    /** Makes a cgroup below this one; empty if that is not ours to do. */
    public Optional<Cgroup> create(String name) {
        try {
            return Optional.of(new Cgroup(Files.createDirectory(directory.resolve(name))));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Returns true if it is there. */
    public boolean exists() {
        return Files.exists(file("cgroup.freeze"));
    }

    /** The one above; for a cgroup that {@link #create} made. */
    public Cgroup parent() {
        return new Cgroup(Objects.requireNonNull(directory.getParent()));
    }

    /**
     * Moves a process with all its threads here. Takes some milliseconds (a grace period of the
     * kernel); what it forks from then on is here too.
     *
     * @return false if it is gone, or not ours to move
     */
    public boolean add(long pid) {
        try {
            Files.writeString(file("cgroup.procs"), Long.toString(pid));
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /** The processes in it; zombies are not told. */
    public List<Long> members() throws IOException {
        return Files.readAllLines(file("cgroup.procs")).stream().map(Long::parseLong).toList();
    }

    /** Freezes or thaws all that is in it. Returns at once: see {@link #isFrozen}. */
    public void freeze(boolean frozen) throws IOException {
        Files.writeString(file("cgroup.freeze"), frozen ? "1" : "0");
    }

    /** Returns true once no process in it can run. */
    public boolean isFrozen() throws IOException {
        return Files.readAllLines(file("cgroup.events")).contains("frozen 1");
    }

    /** Kills all that is in it, also what is being forked (cgroup.kill, Linux 5.14). */
    public void kill() throws IOException {
        Files.writeString(file("cgroup.kill"), "1");
    }

    /**
     * Removes it, waiting a little for killed processes to go.
     *
     * @param waitMillis at most
     */
    public void delete(int waitMillis) throws IOException {
        long end = System.nanoTime() + waitMillis * 1_000_000L;
        while (true) {
            try {
                Files.delete(directory);
                return;
            } catch (IOException e) {
                if (System.nanoTime() > end || Thread.currentThread().isInterrupted()) {
                    throw e;
                }
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }

    private Path file(String name) {
        return directory.resolve(name);
    }

    private static Optional<Path> mount() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/mounts")).stream()
                .map(line -> List.of(line.split(" ")))
                .filter(fields -> fields.get(2).equals("cgroup2"))
                .map(fields -> Path.of(fields.get(1)))
                .findFirst();
    }
}
