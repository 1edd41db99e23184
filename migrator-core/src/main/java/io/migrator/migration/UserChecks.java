package io.migrator.migration;

import io.migrator.check.Finding;
import io.migrator.criu.RootEntry.Allowance;
import io.migrator.instance.Instance;
import io.migrator.instance.ProcessTree;
import io.migrator.instance.ProcessTree.Member;
import io.migrator.linux.Proc;
import io.migrator.network.InetSocket;
import io.migrator.network.NetSpace;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What criu cannot take along without privilege: in a user namespace its owner has every
 * capability, but some of what a process holds belongs to the node's (facts: users.md section 1).
 */
final class UserChecks {
    private static final String BY_ENTRY =
            "start it without --userns, where apptainer has its setuid starter and root has run"
                    + " `migrator setup`";

    private static final String BY_ROOT = "such a job can be moved by root, of root's instances";

    /** See seccomp(2). */
    private static final String STRICT = "1";

    static final Pattern DELETED_FILE =
            Pattern.compile(
                    "(?dm)^\\S+ \\S+ \\S+ \\S+ \\d+ +(/(?!memfd:|dev/zero |SYSV).*)"
                            + " \\(deleted\\)$");

    static final Pattern MEMORY_FILE =
            Pattern.compile("(?dm)^\\S+ \\S+ \\S+ \\S+ (\\d+) +/memfd:.*$");

    private final List<Finding> findings = new ArrayList<>();
    private final Instance.Mode mode;
    private final Set<String> connections;
    private final Set<String> memoryFiles = new HashSet<>();

    private UserChecks(Instance.Mode mode, Set<String> connections) {
        this.mode = mode;
        this.connections = connections;
    }

    /** What forbids the move, for the user who runs this. */
    static List<Finding> of(Instance instance, ProcessTree tree) {
        return switch (instance.mode()) {
            case ROOT -> WatchChecks.of(tree);
            case USER_NAMESPACE -> ofUser(instance, tree);
            case SETUID -> {
                List<Finding> all = new ArrayList<>(ofUser(instance, tree));
                all.addAll(WatchChecks.of(tree));
                yield all;
            }
        };
    }

    private static List<Finding> ofUser(Instance instance, ProcessTree tree) {
        Set<String> connections = new HashSet<>();
        try {
            InetSocket.tcpOf(new Proc(instance.appinit())).stream()
                    .filter(InetSocket::connects)
                    .forEach(each -> connections.add(each.link()));
        } catch (IOException e) {
            // appinit ended: nothing will move
        }
        if (isOfUser(instance)) {
            connections.clear();
        }
        UserChecks checks = new UserChecks(instance.mode(), connections);
        for (Member member : tree.members()) {
            try {
                checks.memoryFiles.addAll(memoryFiles(member.process()));
            } catch (IOException e) {
                // it ended while we looked
            }
        }
        for (Member member : tree.members()) {
            try {
                checks.hidden(member);
                checks.look(member);
            } catch (IOException e) {
                // it ended while we looked
            }
        }
        return checks.findings;
    }

    /** In a network namespace of its own its owner has the rights that connections need. */
    private static boolean isOfUser(Instance instance) {
        try {
            return NetSpace.of(instance).ofUser();
        } catch (Problem e) {
            return false; // appinit ended
        }
    }

    /** What is private in its /proc is root's then (proc(5)). */
    private void hidden(Member member) throws IOException {
        Proc process = member.process();
        int owner = (Integer) Files.getAttribute(process.file("fd"), "unix:uid");
        if (owner != process.uid()) {
            add(
                    "hidden",
                    member,
                    "lets nobody but root look at it (PR_SET_DUMPABLE)",
                    "criu: Can't open its map_files on procfs: Permission denied",
                    "start the program without that; " + BY_ROOT);
        }
    }

    private void look(Member member) throws IOException {
        Proc process = member.process();
        process.descriptors().forEach((number, name) -> descriptor(member, number, name));
        String seccomp = process.status("Seccomp").orElse("0");
        boolean filtered = !seccomp.equals("0");
        if (mode == Instance.Mode.SETUID) {
            if (seccomp.equals(STRICT)) {
                add(
                        "seccomp",
                        member,
                        "runs in strict seccomp",
                        "criu, on the target: suspending seccomp failed: Operation not permitted",
                        "use a filter instead; " + BY_ROOT);
                return;
            }
            if (filtered && !Allowance.SECCOMP.isGiven()) {
                notAllowed(member, "runs under a seccomp filter", "seccomp");
            }
            return; // the root entry keeps what the rest needs
        }
        if (filtered) {
            add(
                    "seccomp",
                    member,
                    "runs under a seccomp filter",
                    "criu: suspending seccomp failed: Operation not permitted",
                    BY_ENTRY + ", or without a filter");
        }
        String maps = Files.readString(process.file("maps"), StandardCharsets.ISO_8859_1);
        Matcher deleted = DELETED_FILE.matcher(maps);
        if (deleted.find()) {
            add(
                    "deleted-mapping",
                    member,
                    "has mapped a file that was deleted, " + deleted.group(1),
                    "criu: Can't open mapped [" + deleted.group(1) + " (deleted)]",
                    BY_ENTRY);
        }
        Set<String> own = memoryFiles(process);
        if (MEMORY_FILE
                .matcher(maps)
                .results()
                .map(mapping -> mapping.group(1))
                .anyMatch(file -> memoryFiles.contains(file) && !own.contains(file))) {
            add(
                    "memfd-mapping",
                    member,
                    "has mapped a memory file that only another process has open",
                    "criu could not tell that it is the same, and would make a copy",
                    BY_ENTRY + ", or keep the descriptor open");
        }
    }

    /** Inode numbers of those that a process has open. */
    private static Set<String> memoryFiles(Proc process) throws IOException {
        Set<String> open = new HashSet<>();
        for (Map.Entry<Integer, String> each : process.descriptors().entrySet()) {
            if (each.getValue().startsWith("/memfd:")) {
                Path file = process.file("fd/" + each.getKey());
                open.add(String.valueOf(Files.getAttribute(file, "unix:ino")));
            }
        }
        return open;
    }

    private void descriptor(Member member, int number, String name) {
        if (connections.contains(name)) {
            add(
                    "connections",
                    member,
                    "has a TCP connection at descriptor " + number,
                    "criu: Can't turn TCP repair mode ON: Operation not permitted",
                    mode == Instance.Mode.USER_NAMESPACE
                            ? "start the job with migrator run --net own, if it has connections to"
                                  + " itself alone (needs nsenter --keep-caps); or close it for the"
                                  + " move"
                            : "close it for the move; " + BY_ROOT);
        } else if (mode == Instance.Mode.SETUID) {
            if (name.equals("anon_inode:inotify") && !Allowance.INOTIFY.isGiven()) {
                notAllowed(member, "watches files at descriptor " + number, "inotify");
            }
        } else if (name.equals("anon_inode:inotify")) {
            add(
                    "inotify",
                    member,
                    "watches files at descriptor " + number,
                    "criu: fsnotify: Can't dump that handle",
                    BY_ENTRY);
        }
    }

    private void notAllowed(Member member, String has, String kind) {
        add(
                kind,
                member,
                has,
                "criu would need rights over the node that root has not allowed it here",
                "let root run `migrator setup --allow " + kind + "` on this node");
    }

    private void add(String check, Member member, String has, String because, String tryThis) {
        String who = "process %d (%s) ".formatted(member.pid(), member.name());
        findings.add(Finding.forbidden(check, who + has, because, tryThis));
    }
}
