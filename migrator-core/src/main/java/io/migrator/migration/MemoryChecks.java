package io.migrator.migration;

import io.migrator.check.Finding;
import io.migrator.handover.Handover.Target;
import io.migrator.handover.Journal;
import io.migrator.handover.Running;
import io.migrator.handover.TargetJournal;
import io.migrator.instance.Instance;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Whether a job's memory can travel as it is asked for, and whether all of it is here. */
final class MemoryChecks {
    private MemoryChecks() {}

    static List<Finding> of(Instance instance, MemoryWish wish) throws Problem {
        List<Finding> findings = new ArrayList<>();
        if (wish.way() == MemoryWish.Way.HYBRID && instance.mode() != Instance.Mode.ROOT) {
            findings.add(
                    Finding.forbidden(
                            "hybrid",
                            "the memory of '%s' cannot follow it".formatted(instance.name()),
                            "what the kernel itself touches of memory that is still to come only"
                                    + " root may fill (userfaultfd(2)), and root did not start the"
                                    + " instance",
                            "migrate with --memory precopy"));
        }
        if (lacksMemory(instance)) {
            findings.add(
                    Finding.forbidden(
                            "lacks-memory",
                            "'%s' came here, and not all of its memory".formatted(instance.name()),
                            "the rest is still on the node it came from",
                            "migrator recover there"));
        }
        return findings;
    }

    private static boolean lacksMemory(Instance instance) throws Problem {
        Running appinit = new Running(instance.appinit(), instance.startTime());
        try {
            for (String id : Journal.ids(Spool.journals())) {
                if (lacksMemory(id, appinit)) {
                    return true;
                }
            }
            return false;
        } catch (IOException e) {
            throw Problem.failed("the journals of this node cannot be read")
                    .because(e.getMessage());
        }
    }

    private static boolean lacksMemory(String id, Running appinit) throws Problem {
        try {
            Journal.Contents contents = Journal.peek(Spool.journals(), id);
            if (contents.head().role() != Journal.Role.TARGET) {
                return false;
            }
            TargetJournal.Note note = contents.body(TargetJournal.Note.class);
            boolean came = note.state() == Target.TAKEN || note.state() == Target.FILLING;
            return came && note.fills() && note.appinit().equals(appinit);
        } catch (IOException e) {
            return false; // gone meanwhile, or of no use: recover tells
        }
    }
}
