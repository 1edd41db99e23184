package io.migrator.migration;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;

import io.migrator.files.CarriedFile;
import io.migrator.handover.Journal;
import io.migrator.handover.Token;
import io.migrator.instance.Logs;
import io.migrator.instance.RunDirectory;
import io.migrator.instance.StartOptions;
import io.migrator.instance.Traits;
import io.migrator.linux.Clocks;
import io.migrator.network.NetworkPlan;

import org.jspecify.annotations.Nullable;

import java.util.List;

/**
 * What a target is to make ready.
 *
 * @param id of this migration, letters and digits
 * @param token of this migration
 * @param sourceBoot boot id of the source
 * @param instance name
 * @param start how the empty instance is to be started
 * @param pids process and thread ids inside that the restore needs free
 * @param traits what threads are to be set to that criu does not restore
 * @param logs those of Apptainer's log files that the job has open, as the source calls them
 * @param ahead how far the job's clocks are ahead of the target's, or a little less far than this
 * @param network what becomes of the job's network
 * @param memoryBytes that the job has, about
 * @param fills true if some of the memory may come when the job runs there already
 * @param directories of the node that the instance or the job needs
 * @param runDirectory where the payload of {@code migrator run} keeps its files; null if none
 */
public record Order(
        String id,
        Token token,
        String sourceBoot,
        String instance,
        StartOptions start,
        List<Integer> pids,
        List<Traits> traits,
        List<Logs.Held> logs,
        Clocks ahead,
        NetworkPlan network,
        long memoryBytes,
        boolean fills,
        List<CarriedFile> directories,
        @JsonSetter(nulls = Nulls.SET) RunDirectory.@Nullable Claim runDirectory) {
    /** Stands for the boot id of the source where that is an archive, which cannot run a job. */
    static final String ARCHIVE = "0";

    /**
     * The order to restore the job once more, from an archive.
     *
     * @param name of the instance
     * @param then clocks of the node it was on, when it stood still
     * @param now clocks of the node it is to run on
     */
    Order restored(String newId, Token newToken, String name, Clocks then, Clocks now) {
        Clocks offset = then.minus(now);
        return new Order(
                newId,
                newToken,
                ARCHIVE,
                name,
                start,
                pids,
                traits,
                logs,
                new Clocks(
                        ahead.monotonicNanos() + offset.monotonicNanos(),
                        ahead.boottimeNanos() + offset.boottimeNanos()),
                network,
                memoryBytes,
                false,
                directories,
                runDirectory);
    }

    /**
     * The head of the target's journal.
     *
     * @throws IllegalArgumentException if a part from the source is not what it must be
     */
    Journal.Head head(String targetBoot) {
        return new Journal.Head(Journal.Role.TARGET, id, token, sourceBoot, targetBoot);
    }
}
