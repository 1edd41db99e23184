package io.migrator.criu;

import io.migrator.linux.Command;
import io.migrator.linux.User;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Whether the CPU state of one node can be restored on another, by {@code criu cpuinfo dump} and
 * {@code check} (criu(8)): instructions in use and the size of the xsave area. criu does not even
 * look without a capability, so for an ordinary user it runs in a user namespace of its own. Any
 * thread.
 */
public record CpuInfo(CriuBundle bundle) {
    private static final Duration DEADLINE = Duration.ofSeconds(20);
    private static final String IMAGE = "cpuinfo.img";

    /** What this node has, as criu's image. */
    public byte[] dump(Path directory) throws Problem, InterruptedException {
        run(directory, "dump").orFail("criu cannot tell this node's CPU features");
        try {
            byte[] image = Files.readAllBytes(directory.resolve(IMAGE));
            Files.delete(directory.resolve(IMAGE));
            return image;
        } catch (IOException e) {
            throw Problem.failed("criu cannot tell this node's CPU features").because(e.toString());
        }
    }

    /**
     * Compares another node's image with this node.
     *
     * @return why its payloads cannot be restored here; empty if they can
     */
    public String problem(byte[] image, Path directory) throws Problem, InterruptedException {
        try {
            Files.write(directory.resolve(IMAGE), image);
            Command.Result result = run(directory, "check");
            Files.delete(directory.resolve(IMAGE));
            return result.ok() ? "" : result.complaint();
        } catch (IOException e) {
            throw Problem.failed("the CPU features cannot be compared").because(e.toString());
        }
    }

    private Command.Result run(Path directory, String verb) throws Problem, InterruptedException {
        String home = bundle.directory().toString();
        List<String> argv = new ArrayList<>();
        if (!User.isRoot()) {
            argv.addAll(List.of("unshare", "--user", "--map-root-user"));
        }
        argv.addAll(
                List.of(
                        "env", // a configuration file of the caller's is not wanted
                        "-i",
                        home + "/lib/ld.so",
                        "--library-path",
                        home + "/lib",
                        home + "/criu",
                        "cpuinfo",
                        verb,
                        "--no-default-config",
                        "--libdir",
                        home + "/empty",
                        "-D",
                        directory.toString()));
        if (!User.isRoot()) {
            argv.add("--unprivileged");
        }
        return Command.of(argv).run(DEADLINE);
    }
}
