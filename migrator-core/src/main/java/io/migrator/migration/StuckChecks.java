package io.migrator.migration;

import io.migrator.check.Finding;
import io.migrator.instance.ProcessTree;
import io.migrator.instance.ProcessTree.Member;
import io.migrator.linux.Proc;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Threads that wait in the kernel where nothing but what they wait for ends it: for a file server
 * that is gone, or in vfork(2) for a child. Looks again for a while if there is one that waits so.
 */
final class StuckChecks {
    private static final int LOOKS = 10;
    private static final int LOOK_MILLIS = 30;
    private static final long GOES_ON = -1;

    /** Of a process that member is, a thread that had waited so often when it was seen first. */
    private record Waiting(Member member, long switches) {}

    private StuckChecks() {}

    /** What forbids the move. */
    static List<Finding> of(ProcessTree tree) throws InterruptedException {
        List<Finding> findings = new ArrayList<>();
        for (Map.Entry<Proc, Waiting> each : stuck(tree).entrySet()) {
            Member member = each.getValue().member;
            findings.add(
                    Finding.forbidden(
                            "stuck",
                            "process %d (%s) waits in the kernel, in %s, and cannot be stopped"
                                    .formatted(member.pid(), member.name(), where(each.getKey())),
                            "criu would wait for it while the others stand still, and fail",
                            "try again when it goes on: a file server may be away, or a child not"
                                    + " begun"));
        }
        return findings;
    }

    private static Map<Proc, Waiting> stuck(ProcessTree tree) throws InterruptedException {
        Map<Proc, Waiting> waiting = new LinkedHashMap<>();
        for (Member member : tree.members()) {
            for (Proc thread : threads(member)) {
                long now = switches(thread);
                if (now != GOES_ON) {
                    waiting.put(thread, new Waiting(member, now));
                }
            }
        }
        for (int i = 0; i < LOOKS && !waiting.isEmpty(); i++) {
            Thread.sleep(LOOK_MILLIS);
            waiting.entrySet()
                    .removeIf(each -> switches(each.getKey()) != each.getValue().switches);
        }
        return waiting;
    }

    private static List<Proc> threads(Member member) {
        try {
            return member.process().threads();
        } catch (IOException e) {
            return List.of(); // it ended
        }
    }

    /** How often it has waited so far, if it does so that no signal ends it. */
    private static long switches(Proc thread) {
        try {
            return thread.state() == 'D'
                    ? thread.statusNumbers("voluntary_ctxt_switches").getFirst()
                    : GOES_ON;
        } catch (IOException e) {
            return GOES_ON; // it ended
        }
    }

    private static String where(Proc thread) {
        try {
            return Files.readString(thread.file("wchan"));
        } catch (IOException e) {
            return "a place that is not told";
        }
    }
}
