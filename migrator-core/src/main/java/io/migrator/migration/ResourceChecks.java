package io.migrator.migration;

import io.migrator.check.Finding;
import io.migrator.instance.ProcessTree;
import io.migrator.instance.ProcessTree.Member;
import io.migrator.linux.ForeignSocket;
import io.migrator.linux.ForeignSocket.Option;
import io.migrator.linux.PidFd;
import io.migrator.linux.Proc;

import org.jspecify.annotations.Nullable;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What criu 4 cannot dump at all, found before the job is frozen rather than by criu. Each was seen
 * to fail (SupportIT); what criu can do with privilege only is {@link UserChecks}'.
 */
final class ResourceChecks {
    /** Those of time are not compared: a job that moved before has one of its own. */
    private static final List<String> NAMESPACES =
            List.of("user", "mnt", "net", "ipc", "uts", "cgroup");

    private static final int AF_INET = 2;
    private static final int AF_INET6 = 10;
    private static final int AF_NETLINK = 16;

    /** Unix, netlink and packet sockets. */
    private static final Set<Integer> OTHER_FAMILIES = Set.of(1, 16, 17);

    /** TCP, UDP, UDP-Lite and raw. */
    private static final Set<Integer> INTERNET = Set.of(6, 17, 136, 255, 1, 58);

    private static final int MPTCP = 262;

    /** See memfd_secret(2). */
    private static final String SECRET = " /secretmem (deleted)";

    private static final String FLAGS = "VmFlags:";

    /** By mseal(2). */
    private static final String SEALED = " sl ";

    /**
     * The first line of a mapping (proc_pid_smaps(5)), with the name of one of the kernel's own,
     * which it may seal itself.
     */
    private static final Pattern MAPPING =
            Pattern.compile("\\p{XDigit}+-\\p{XDigit}+ .*?(\\[(?:v\\w+|uprobes)\\])?");

    private static final Map<String, String> ANONYMOUS =
            Map.of(
                    "anon_inode:[io_uring]", "an io_uring",
                    "anon_inode:[userfaultfd]", "a userfaultfd",
                    "anon_inode:[perf_event]", "a perf event",
                    "anon_inode:[fanotify]", "a fanotify group",
                    "anon_inode:bpf-map", "a BPF map",
                    "anon_inode:bpf-prog", "a BPF program");

    private final List<Finding> findings = new ArrayList<>();
    private final Map<String, String> namespaces = new HashMap<>();

    private ResourceChecks() {}

    /** What forbids the move. */
    static List<Finding> of(ProcessTree tree) {
        ResourceChecks checks = new ResourceChecks();
        for (Member member : tree.members()) {
            try {
                checks.look(member);
            } catch (IOException e) {
                // it ended while we looked
            }
        }
        return checks.findings;
    }

    private void look(Member member) throws IOException {
        Proc process = member.process();
        for (String kind : NAMESPACES) {
            String namespace = process.namespace(kind);
            if (!namespaces.computeIfAbsent(kind, none -> namespace).equals(namespace)) {
                add(
                        "namespaces",
                        member,
                        "is in a " + kind + " namespace of its own",
                        "criu: Can't dump nested namespaces",
                        "end it, or start it without a sandbox");
            }
        }
        if (!process.status("TracerPid").orElse("0").equals("0")) {
            add(
                    "traced",
                    member,
                    "is being traced, by a debugger perhaps",
                    "criu could not take hold of it",
                    "end the debugger");
        }
        mappings(member);
        personality(member);
        Map<Integer, String> descriptors = process.descriptors();
        try (PidFd held = PidFd.open(process.pid())) {
            for (Map.Entry<Integer, String> each : descriptors.entrySet()) {
                String what = ANONYMOUS.get(each.getValue());
                if (what == null && each.getValue().startsWith("socket:")) {
                    try (ForeignSocket socket = ForeignSocket.of(held, each.getKey())) {
                        what = unknown(socket);
                        unread(member, socket);
                    } catch (IOException e) {
                        continue; // it was closed
                    }
                }
                if (what != null) {
                    add(
                            "descriptor",
                            member,
                            "has " + what + " at descriptor " + each.getKey(),
                            "criu cannot dump that",
                            what.contains("MPTCP")
                                    ? "start the program without it (of Go programs:"
                                            + " GODEBUG=multipathtcp=0)"
                                    : "start the program without it");
                }
            }
        }
    }

    private void mappings(Member member) throws IOException {
        boolean secret = false;
        boolean ofKernel = false;
        int sealed = 0;
        Path file = member.process().file("smaps");
        try (BufferedReader lines = Files.newBufferedReader(file, StandardCharsets.ISO_8859_1)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                Matcher mapping = MAPPING.matcher(line);
                if (mapping.matches()) {
                    secret |= line.endsWith(SECRET);
                    ofKernel = mapping.group(1) != null;
                } else if (line.startsWith(FLAGS) && line.contains(SEALED) && !ofKernel) {
                    sealed++;
                }
            }
        }
        if (secret) {
            add(
                    "secret-memory",
                    member,
                    "has memory that nobody else may read (memfd_secret)",
                    "criu: Can't open its mapfile link: No such device or address",
                    "start the program without it");
        }
        if (sealed > 0) {
            findings.add(
                    Finding.warning(
                            "sealed-memory",
                            "process %d (%s) has sealed %d of its mappings (mseal)"
                                    .formatted(member.pid(), member.name(), sealed),
                            "criu does not seal them again, and says nothing",
                            "nothing need be done if the seal only guards against attacks"));
        }
    }

    /** See personality(2). */
    private void personality(Member member) throws IOException {
        Path file = member.process().file("personality");
        String personality = Files.readString(file, StandardCharsets.US_ASCII).strip();
        if (personality.chars().anyMatch(digit -> digit != '0')) {
            findings.add(
                    Finding.warning(
                            "personality",
                            "process %d (%s) has set its personality to %s"
                                    .formatted(member.pid(), member.name(), personality),
                            "criu does not set it again, and says nothing; what it has mapped"
                                    + " stays where it is",
                            "nothing need be done if it was set for the start alone (setarch -R)"));
        }
    }

    private static @Nullable String unknown(ForeignSocket socket) throws IOException {
        int family = socket.get(Option.DOMAIN);
        int protocol = socket.get(Option.PROTOCOL);
        boolean internet = family == AF_INET || family == AF_INET6;
        if (internet ? INTERNET.contains(protocol) : OTHER_FAMILIES.contains(family)) {
            return null;
        }
        return protocol == MPTCP
                ? "an MPTCP socket"
                : "a socket of family %d, protocol %d".formatted(family, protocol);
    }

    private void unread(Member member, ForeignSocket socket) throws IOException {
        if (socket.get(Option.DOMAIN) == AF_NETLINK && socket.get(Option.UNREAD_BYTES) > 0) {
            add(
                    "netlink",
                    member,
                    "has not read what the kernel told it by netlink",
                    "criu: netlink: The socket has data to read",
                    "try again when it has read that");
        }
    }

    private void add(String check, Member member, String has, String because, String tryThis) {
        String who = "process %d (%s) ".formatted(member.pid(), member.name());
        findings.add(Finding.forbidden(check, who + has, because, tryThis));
    }
}
