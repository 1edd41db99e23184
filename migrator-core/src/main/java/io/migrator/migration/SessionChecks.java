package io.migrator.migration;

import io.migrator.check.Finding;
import io.migrator.instance.Adoption;
import io.migrator.instance.ProcessTree;
import io.migrator.instance.ProcessTree.Member;
import io.migrator.linux.NewSession;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Processes that are to lead a session of their own before they can go ({@link Adoption}). */
final class SessionChecks {
    private static final String BY_RUN = "start payloads with migrator run";

    private SessionChecks() {}

    /** What the user should know of them, and what forbids the move. */
    static List<Finding> of(ProcessTree tree) {
        List<Finding> findings = new ArrayList<>();
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

    private static boolean isWatched(Member member) {
        try {
            return NewSession.isWatched(member.process());
        } catch (IOException e) {
            return false; // it ended while we looked
        }
    }
}
