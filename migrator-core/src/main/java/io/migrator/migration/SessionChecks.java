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

/**
 * Processes that are to lead a session of their own before they can go ({@link Adoption}), and
 * zombies that would have to: nobody can make a call in one. Waits a moment if there is a zombie.
 */
final class SessionChecks {
    private static final String BY_RUN = "start payloads with migrator run";

    /** In which a program that waits for its children has taken notice of one that ended. */
    private static final int REAPED_MILLIS = 200;

    /** The field of /proc/PID/stat (proc(5)), and the largest that criu restores. */
    private static final int EXIT_CODE = 52;

    private static final int MOST_CODE = 0x7f;

    private SessionChecks() {}

    /** What the user should know of them, and what forbids the move. */
    static List<Finding> of(ProcessTree tree) throws InterruptedException {
        List<Finding> findings = new ArrayList<>();
        zombies(tree).forEach(zombie -> check(zombie, tree, findings));
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

    /** Processes that have ended, and whose parent has not asked how for a while. */
    private static List<Proc> zombies(ProcessTree tree) throws InterruptedException {
        Set<Long> parents = Set.copyOf(tree.hostPids());
        List<Proc> found = all().stream().filter(each -> isZombie(each, parents)).toList();
        if (!found.isEmpty()) {
            Thread.sleep(REAPED_MILLIS);
        }
        return found.stream().filter(each -> isZombie(each, parents)).toList();
    }

    private static List<Proc> all() {
        try {
            return Proc.all();
        } catch (IOException e) {
            return List.of(); // the tree was seen, so this cannot be
        }
    }

    private static boolean isZombie(Proc process, Set<Long> parents) {
        try {
            return process.state() == 'Z' && parents.contains(process.parent());
        } catch (IOException e) {
            return false; // it is gone
        }
    }

    private static void check(Proc zombie, ProcessTree tree, List<Finding> findings) {
        try {
            int session = zombie.statusNumbers("NSsid").getLast().intValue();
            long pid = zombie.innerPid();
            String what =
                    "process %d of the instance has ended, and its parent does not ask how"
                            .formatted(pid);
            if (session != pid
                    && tree.members().stream().noneMatch(each -> each.pid() == session)) {
                findings.add(
                        Finding.forbidden(
                                "session-zombie",
                                what,
                                "its session is led from outside, or by nobody, which criu cannot"
                                        + " restore",
                                BY_RUN));
            }
            int code = Integer.parseInt(zombie.stat(EXIT_CODE)) >> Byte.SIZE & 0xff;
            if (code > MOST_CODE) {
                findings.add(
                        Finding.warning(
                                "zombie-status",
                                what,
                                "criu keeps seven bits of exit code %d: it will be %d"
                                        .formatted(code, code & MOST_CODE),
                                "nothing need be done if nobody will ask"));
            }
        } catch (IOException e) {
            // it is gone
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
