package io.migrator.migration;

import io.migrator.check.Finding;
import io.migrator.instance.Instance;
import io.migrator.instance.Instances;
import io.migrator.instance.Logs;
import io.migrator.instance.ProcessTree;
import io.migrator.instance.ProcessTree.Member;
import io.migrator.linux.Proc;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Descriptors that lead out of an instance. Apptainer's log files are given their counterparts on
 * the target; what else leads outside is refused by name, since criu would lose it silently (a
 * pipe) or fail on it when the job is frozen.
 */
final class OutsideChecks {
    private static final String DELETED = " (deleted)";
    private static final String PIPE = "pipe:";

    private final Logs logs;
    private final List<Finding> findings = new ArrayList<>();
    private final Map<String, String> pipes = new HashMap<>();
    private boolean hasMaster;

    private OutsideChecks(Logs logs) {
        this.logs = logs;
    }

    /** What forbids the move. */
    static List<Finding> of(Instance instance, ProcessTree tree) throws Problem {
        OutsideChecks checks = new OutsideChecks(Instances.ofThisUser().logs(instance.name()));
        Map<Member, Map<Integer, String>> all = new HashMap<>();
        for (Member member : tree.members()) {
            try {
                all.put(member, member.process().descriptors());
            } catch (IOException e) {
                // it ended while we looked
            }
        }
        checks.hasMaster =
                all.values().stream()
                        .anyMatch(each -> each.values().stream().anyMatch(OutsideChecks::isMaster));
        all.forEach(checks::look);
        checks.pipesToOthers(tree);
        return checks.findings;
    }

    private static boolean isMaster(String link) {
        return link.equals("/dev/ptmx") || link.equals("/dev/pts/ptmx");
    }

    private void look(Member member, Map<Integer, String> descriptors) {
        descriptors.forEach((number, link) -> {
            try {
                look(member, number, link);
            } catch (IOException e) {
                // it is closed by now
            }
        });
    }

    private void look(Member member, int number, String link) throws IOException {
        if (link.startsWith(PIPE)) {
            pipes.putIfAbsent(
                    link,
                    "process %d (%s) at descriptor %d"
                            .formatted(member.pid(), member.name(), number));
            return;
        }
        if (!link.startsWith("/") || link.endsWith(DELETED) || isMaster(link)) {
            return;
        }
        Path descriptor = member.process().file("fd/" + number);
        if (link.startsWith("/dev/pts/")) {
            if (!hasMaster) {
                add(
                        "terminal",
                        member,
                        number,
                        "has the terminal " + link,
                        "criu: tty: Found slave peer index without correspond master peer",
                        "start the program without a terminal, for example by migrator run");
            }
        } else if (Files.isRegularFile(descriptor)
                && logs.held(member.process(), number, link).isEmpty()
                && !Logs.isInView(member.process(), descriptor, link)) {
            add(
                    "outside-file",
                    member,
                    number,
                    "has open " + link + ", which it cannot see by that name",
                    "criu: Can't lookup mount for that descriptor",
                    "bind its directory into the instance, or start the program with its output"
                            + " elsewhere");
        }
    }

    private void add(
            String check, Member member, int number, String has, String because, String tryThis) {
        String what =
                "process %d (%s) %s, at descriptor %d"
                        .formatted(member.pid(), member.name(), has, number);
        findings.add(Finding.forbidden(check, what, because, tryThis));
    }

    /** A pipe that somebody else has open too would have nobody at its other end on the target. */
    private void pipesToOthers(ProcessTree tree) throws Problem {
        if (pipes.isEmpty()) {
            return;
        }
        try {
            String inside = tree.members().getFirst().process().namespace("pid");
            for (Proc other : Proc.all()) {
                pipesOf(other, inside);
            }
        } catch (IOException e) {
            throw Problem.failed("the processes of this node are not seen").because(e.toString());
        }
    }

    private void pipesOf(Proc other, String inside) {
        try {
            if (other.namespace("pid").equals(inside)) {
                return;
            }
            for (String link : other.descriptors().values()) {
                String holder = pipes.remove(link);
                if (holder != null) {
                    findings.add(
                            Finding.forbidden(
                                    "outside-pipe",
                                    holder
                                            + " has a pipe to process %d (%s) outside"
                                                    .formatted(other.pid(), other.name()),
                                    "criu would restore it with nobody at the other end, and say"
                                            + " nothing",
                                    "start the program with its input and output in files"));
                }
            }
        } catch (IOException e) {
            // gone, or another user's
        }
    }
}
