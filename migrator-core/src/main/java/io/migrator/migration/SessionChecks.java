package io.migrator.migration;

import io.migrator.check.Finding;
import io.migrator.instance.Adoption;
import io.migrator.instance.ProcessTree;
import io.migrator.instance.ProcessTree.Member;
import io.migrator.linux.NewSession;
import io.migrator.linux.Proc;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Processes that are to lead a session of their own before they can go ({@link Adoption}), and
 * zombies that would have to: nobody can make a call in one. Waits a moment if there is a zombie.
 */
final class SessionChecks {
    private static final String BY_RUN = "start payloads with migrator run";

    /** In which a program that waits for its children has taken notice of one that ended. */
    private static final int REAPED_MILLIS = 200;

    private SessionChecks() {}

    /** What the user should know of them, and what forbids the move. */
    static List<Finding> of(ProcessTree tree) throws InterruptedException {
        List<Finding> findings = new ArrayList<>();
        for (Proc zombie : zombies(tree)) {
            findings.add(
                    Finding.forbidden(
                            "session-zombie",
                            "process %s of the instance has ended, and its parent does not ask how"
                                    .formatted(innerPid(zombie)),
                            "its session is led from outside, or by nobody, which criu cannot"
                                    + " restore",
                            BY_RUN));
        }
        for (Member member : Adoption.needed(tree)) {
            String who = "process %d (%s) ".formatted(member.pid(), member.name());
            if (isWatched(member)) {
                findings.add(
                        Finding.forbidden(
                                "session-seccomp",
                                who + "cannot be given a session of its own",
                                "its seccomp filter would see the calls made in it for that",
                                BY_RUN));
            }
            findings.add(
                    Finding.warning(
                            "session",
                            who + "is to lead a session of its own",
                            "criu cannot restore one that is led from outside, or by nobody; the"
                                    + " process leaves its process group and its terminal",
                            BY_RUN + ", where job control matters"));
        }
        return findings;
    }

    private static List<Proc> zombies(ProcessTree tree) throws InterruptedException {
        Set<Long> parents = Set.copyOf(tree.hostPids());
        Set<Integer> sessions =
                tree.members().stream().map(Member::pid).collect(Collectors.toSet());
        Predicate<Proc> isOne = process -> isZombie(process, parents, sessions);
        List<Proc> found = all().stream().filter(isOne).toList();
        if (found.isEmpty()) {
            return found;
        }
        Thread.sleep(REAPED_MILLIS);
        return found.stream().filter(isOne).toList();
    }

    private static List<Proc> all() {
        try {
            return Proc.all();
        } catch (IOException e) {
            return List.of(); // the tree was seen, so this cannot be
        }
    }

    private static boolean isZombie(Proc process, Set<Long> parents, Set<Integer> sessions) {
        try {
            return process.state() == 'Z'
                    && parents.contains(process.parent())
                    && !sessions.contains(process.statusNumbers("NSsid").getLast().intValue());
        } catch (IOException e) {
            return false; // it is gone
        }
    }

    private static String innerPid(Proc process) {
        try {
            return Long.toString(process.innerPid());
        } catch (IOException e) {
            return "?";
        }
    }

    private static boolean isWatched(Member member) {
        try {
            return NewSession.isWatched(member.process());
        } catch (IOException e) {
            return false; // it ended while we looked
        }
    }
}
