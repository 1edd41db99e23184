package io.migrator.criu;

import io.migrator.instance.ProcessTree;
import io.migrator.linux.Command;
import io.migrator.linux.Limits;
import io.migrator.linux.NativeParts;
import io.migrator.linux.Proc;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * The way into an instance of Apptainer's setuid starter for its owner: root's copy of the
 * foothold, started by sudo(8), which becomes the owner inside (rootentry.h says what it checks and
 * what it keeps). Nothing else of ours runs as root for an ordinary user. Any thread.
 */
public final class RootEntry {
    private static final Path FOOTHOLD = CriuBundle.OF_ROOT.resolve("foothold");
    private static final Duration SUDO = Duration.ofSeconds(20);

    /**
     * For sudoers(5). No terminal of its own: packets go through its standard streams; and of the
     * limits, which the job gets from criu, sudo would lower that of core files.
     */
    public static final String SUDOERS =
            "Defaults!%1$s !use_pty, !requiretty, rlimit_core=user%nALL ALL=(root) NOPASSWD: %1$s"
                    .formatted(FOOTHOLD);

    private RootEntry() {}

    /** Words that start the foothold as root. */
    static List<String> words() {
        return List.of("sudo", "-n", FOOTHOLD.toString());
    }

    /**
     * What it is like for this user on this node.
     *
     * @param problem why he cannot use it; empty if he can
     * @param limits hard limits that criu would have, by the kernel's names: sudo may lower them
     */
    public record State(String problem, Map<String, Long> limits) {
        private State(String problem) {
            this(problem, Map.of());
        }
    }

    /** Looks, and starts it once to no effect. */
    public static State state() throws Problem, InterruptedException {
        try {
            if (!Files.exists(FOOTHOLD)) {
                return new State(FOOTHOLD + " is missing");
            }
            if (Files.mismatch(FOOTHOLD, NativeParts.path("foothold")) >= 0) {
                return new State(FOOTHOLD + " is not of this version of migrator");
            }
        } catch (IOException e) {
            return new State(e.toString());
        }
        Path bundle = CriuBundle.ofRoot().directory();
        if (!Files.isDirectory(bundle)) {
            return new State("root's copy of the criu installed here is missing: " + bundle);
        }
        List<String> argv = new ArrayList<>(words());
        argv.add("-V");
        Command.Result tried = Command.of(argv).run(SUDO);
        return tried.ok()
                ? new State("", Limits.hardIn(tried.out()))
                : new State("sudo does not start " + FOOTHOLD + ": " + tried.complaint());
    }

    /**
     * What a dump may be given a capability for that would open doors to whoever could take criu
     * over: root decides.
     */
    public enum Allowance {
        /** CAP_SYS_ADMIN, to hold off and read seccomp filters. */
        SECCOMP(1L << 21),
        /** CAP_DAC_READ_SEARCH, to find files that inotify watches. */
        INOTIFY(1L << 2);

        private final long capability;

        Allowance(long capability) {
            this.capability = capability;
        }

        private Path file() {
            return CriuBundle.OF_ROOT.resolve("allow-" + name().toLowerCase(Locale.ROOT));
        }

        /** Whether root allows it on this node. */
        public boolean isGiven() {
            return Files.exists(file());
        }
    }

    /**
     * Installs it; to be called by root. sudo's part is left to the administrator.
     *
     * @param allowed all that is allowed from now on
     * @return the copy of criu that it uses
     */
    public static CriuBundle install(Set<Allowance> allowed) throws Problem, InterruptedException {
        CriuBundle bundle = CriuBundle.ofThisNode();
        Path draft = FOOTHOLD.resolveSibling("foothold.new");
        try {
            Files.copy(NativeParts.path("foothold"), draft, StandardCopyOption.REPLACE_EXISTING);
            Files.setPosixFilePermissions(draft, CriuBundle.READABLE);
            Files.move(draft, FOOTHOLD, StandardCopyOption.ATOMIC_MOVE);
            Files.setPosixFilePermissions(CriuBundle.OF_ROOT, CriuBundle.READABLE);
            bundle.removeOthers(); // what is wrong with an old criu nobody is to use any more
            for (Allowance each : Allowance.values()) {
                Files.deleteIfExists(each.file());
                if (allowed.contains(each)) {
                    Files.createFile(each.file());
                }
            }
            return bundle;
        } catch (IOException e) {
            throw Problem.failed("the root entry could not be installed")
                    .because(e.toString())
                    .causedBy(e);
        }
    }

    /** The capabilities above the least that a dump of the tree needs, as a mask. */
    static long dumpCapabilities(ProcessTree tree) {
        long needed = 0;
        for (ProcessTree.Member member : tree.members()) {
            try {
                needed |= capabilities(member.process());
            } catch (IOException e) {
                // it ended while we looked
            }
        }
        return needed;
    }

    private static long capabilities(Proc process) throws IOException {
        boolean filtered = !process.status("Seccomp").orElse("0").equals("0");
        boolean watches = process.descriptors().containsValue("anon_inode:inotify");
        return (filtered ? Allowance.SECCOMP.capability : 0)
                | (watches ? Allowance.INOTIFY.capability : 0);
    }
}
