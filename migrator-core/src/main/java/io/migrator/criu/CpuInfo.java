package io.migrator.criu;

import io.migrator.linux.Command;
import io.migrator.linux.CpuFeatures;
import io.migrator.linux.User;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Whether the CPU state of one node can be restored on another, by {@code criu cpuinfo dump} and
 * {@code check} (criu(8)): instructions in use and the size of the xsave area. criu does not even
 * look without a capability, so for an ordinary user it runs in a user namespace of its own; where
 * he may make none, the instructions that the kernel lists are compared instead. Any thread.
 */
public record CpuInfo(CriuBundle bundle) {
    private static final Duration DEADLINE = Duration.ofSeconds(20);
    private static final String IMAGE = "cpuinfo.img";

    /** Of its entry for each kind of processor (images/cpuinfo.proto), and of that for x86. */
    private static final int X86 = 1;

    private static final int XSAVE_SIZE = 9;

    /** No image of criu's begins like this: their first two words are fixed. */
    private static final String LISTED = "listed: ";

    /** What this node has: criu's image, or what the kernel lists. */
    public byte[] dump(Path directory) throws Problem, InterruptedException {
        Command.Result dumped = run(directory, "dump");
        try {
            if (!dumped.ok() && !User.isRoot()) {
                String listed = LISTED + String.join(" ", CpuFeatures.ofThisNode());
                return listed.getBytes(StandardCharsets.US_ASCII);
            }
            dumped.orFail("criu cannot tell this node's CPU features");
            byte[] image = Files.readAllBytes(directory.resolve(IMAGE));
            Files.delete(directory.resolve(IMAGE));
            return image;
        } catch (IOException e) {
            throw Problem.failed("criu cannot tell this node's CPU features").because(e.toString());
        }
    }

    /**
     * How many bytes a thread's registers take that the kernel has enabled (CPUID leaf 0xD).
     *
     * @param dumped as {@link #dump} returns it
     * @return 0 if it does not tell: it is no image of criu's, or of no x86
     */
    public static long xsaveBytes(byte[] dumped) {
        try {
            for (ProtoMessage entry : ImageFile.parse(IMAGE, dumped).entries()) {
                for (ProtoMessage x86 : entry.messages(X86)) {
                    return Math.max(0, x86.number(XSAVE_SIZE).orElse(0));
                }
            }
            return 0;
        } catch (IOException e) {
            return 0;
        }
    }

    /**
     * Compares what another node has with this node.
     *
     * @return why its payloads cannot be restored here; empty if they can
     */
    public String problem(byte[] image, Path directory) throws Problem, InterruptedException {
        try {
            String listed = new String(image, StandardCharsets.ISO_8859_1);
            if (listed.startsWith(LISTED)) {
                Set<String> missing =
                        new TreeSet<>(List.of(listed.substring(LISTED.length()).split(" ")));
                missing.removeAll(CpuFeatures.ofThisNode());
                return missing.isEmpty() ? "" : "not there: " + String.join(", ", missing);
            }
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
