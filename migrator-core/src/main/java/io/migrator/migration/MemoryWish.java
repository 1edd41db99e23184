package io.migrator.migration;

import io.migrator.memory.Pace;
import io.migrator.memory.Tracking;

import java.time.Duration;

/**
 * How a job's memory is to travel.
 *
 * @param way if it can
 * @param downtime for what of it is left in the end; positive
 * @param bytesPerSecond that may be sent while the job runs, after compression; {@link
 *     Pace#UNLIMITED} for as many as go
 * @param tracking of what is written meanwhile
 * @param stays true if the job is not to move where what is left would take longer than the
 *     downtime
 */
public record MemoryWish(
        Way way, Duration downtime, long bytesPerSecond, Tracking tracking, boolean stays) {
    /** The ways. */
    public enum Way {
        /** In rounds while the job runs, where its writes can be seen; else while it stands. */
        AUTO,
        /** All of it while the job stands still. */
        STOP,
        /** In rounds; refused where a process's writes cannot be seen. */
        PRECOPY,
        /** In rounds; what is written too fast for them comes when the job runs on the target. */
        HYBRID
    }

    /** As far as the user does not say. */
    public static final MemoryWish AUTO =
            new MemoryWish(Way.AUTO, Duration.ofMillis(5), Pace.UNLIMITED, Tracking.AUTO, false);
}
