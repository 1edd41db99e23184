package io.migrator.migration;

import io.migrator.handover.Journal;
import io.migrator.handover.Seal;
import io.migrator.instance.Instance;
import io.migrator.instance.Instances;
import io.migrator.instance.ProcessTree;
import io.migrator.linux.Cgroup;
import io.migrator.network.NetworkPlan;
import io.migrator.network.SourceNetwork;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * A migration whose journal cannot be read: no program can tell who may run the job. What still can
 * be seen is whether processes are frozen here for it; a person may let them go on. One thread.
 *
 * @param id of the migration
 * @param journal locked
 * @param because why it cannot be read
 */
record Damaged(String id, Journal journal, @Nullable String because) {
    Settled settled(Recovery.Choice choice) throws Problem, InterruptedException, IOException {
        Optional<Cgroup> frozen =
                Cgroup.beginningWith(Spool.cgroupName(id)).stream()
                        .filter(each -> each.name().equals(Spool.cgroupName(id)))
                        .findFirst();
        String why = "the journal is of no use: " + because;
        if (frozen.isEmpty()) {
            return unsettled(
                    why, "look on both nodes where the job runs; then delete " + journal.file());
        }
        String held = why + "; the job stands still here in " + frozen.get().directory();
        if (!choice.takeBack().equals(id)) {
            return unsettled(
                    held,
                    "look on the other node; only if the job does not run there:"
                            + " migrator recover --take-back "
                            + id);
        }
        if (!choice.dryRun()) {
            thaw(frozen.get());
        }
        String would = choice.dryRun() ? "it would run" : "it runs";
        return new Settled(
                id,
                "source",
                "",
                "",
                "here",
                true,
                held + ": " + would + " on here by your decision",
                "");
    }

    private void thaw(Cgroup frozen) throws Problem, InterruptedException, IOException {
        Instance instance = instanceIn(frozen.members());
        Seal.Note note = new Seal.Note(frozen.directory().toString(), List.of());
        try (StandingJob job =
                new StandingJob(
                        instance,
                        Seal.of(note, Spool.cgroupName(id)),
                        SourceNetwork.of(NetworkPlan.unknown(), instance, id))) {
            job.resume();
        }
        Optional<Spool> spool = Spool.find(id);
        if (spool.isPresent()) {
            spool.get().close();
        }
        journal.delete();
    }

    private static @Nullable Instance instanceIn(List<Long> pids) throws Problem {
        for (Instance each : Instances.ofThisUser().running()) {
            if (ProcessTree.of(each).hostPids().stream().anyMatch(pids::contains)) {
                return each;
            }
        }
        return null;
    }

    private Settled unsettled(String text, String tryThis) {
        return Recovery.unsettled(id, text, tryThis);
    }
}
