package io.migrator.instance;

import io.migrator.instance.ProcessTree.Member;
import io.migrator.linux.NewSession;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Makes processes fit for criu that {@code migrator run} did not start: those of a start script or
 * of {@code apptainer exec} belong to a session that is led from outside the instance, and those
 * whose leader has ended would be given to appinit by the restore. Each gets a session of its own.
 */
public final class Adoption {
    /** What is forked meanwhile is found by the next pass. */
    private static final int PASSES = 20;

    private Adoption() {}

    /** Those that need it. */
    public static List<Member> needed(ProcessTree tree) {
        Set<Integer> inside = tree.members().stream().map(Member::pid).collect(Collectors.toSet());
        return tree.members().stream().filter(each -> !inside.contains(each.session())).toList();
    }

    /**
     * Adopts them; to be called by a platform thread, while the job runs. It stays so: nothing of
     * it need be undone.
     */
    public static void of(Instance instance) throws Problem {
        List<Member> needed = needed(ProcessTree.of(instance));
        for (int pass = 0; pass < PASSES && !needed.isEmpty(); pass++) {
            for (Member member : needed) {
                lead(member);
            }
            needed = needed(ProcessTree.of(instance));
        }
        if (!needed.isEmpty()) {
            throw cannot(needed.getFirst(), "it is forked again and again");
        }
    }

    private static void lead(Member member) throws Problem {
        try {
            NewSession.lead(member.process());
        } catch (IOException e) {
            if (member.process().alive()) {
                throw cannot(member, String.valueOf(e.getMessage())).causedBy(e);
            }
        }
    }

    private static Problem cannot(Member member, String because) {
        return Problem.failed(
                        "process %d (%s) cannot be given a session of its own"
                                .formatted(member.pid(), member.name()))
                .because(because)
                .tryThis("start the payload with migrator run");
    }
}
