package io.migrator.migration;

import org.jspecify.annotations.Nullable;

import java.util.List;

/**
 * What both nodes did when, in milliseconds from the beginning of the migration, by the source's
 * clock.
 *
 * @param stages of the source, one after the other, each until the next
 * @param rounds of pre-copy
 * @param source what else it did; some of it at one time
 * @param still from the freeze of the job's first thread until it ran on, wherever
 * @param sourceUsage what the source's side took; null if that is not known
 * @param target null if it did not tell
 */
public record Trace(
        List<Part> stages,
        List<Part> rounds,
        List<Part> source,
        Part still,
        @Nullable Usage sourceUsage,
        @Nullable Far target) {
    private static final double NANOS_PER_MILLI = 1e6;

    /** A part of it. */
    public record Part(String name, double fromMillis, double toMillis) {}

    /**
     * The target's side.
     *
     * @param offsetMillis how far its clock is ahead of the source's, which is taken off its parts
     * @param errorMillis the most by which that may be wrong: half of the time that the shortest
     *     question took (Cristian, Probabilistic clock synchronization, 1989)
     */
    public record Far(List<Part> parts, Usage usage, double offsetMillis, double errorMillis) {}

    /** Puts the times of one node on a scale that begins at a moment of its clock. */
    record Scale(long zeroNanos) {
        double millis(long nanos) {
            return (nanos - zeroNanos) / NANOS_PER_MILLI;
        }

        Part part(String name, long fromNanos, long toNanos) {
            return new Part(name, millis(fromNanos), millis(toNanos));
        }

        List<Part> parts(List<Steps.Step> steps) {
            return steps.stream()
                    .map(each -> part(each.name(), each.fromNanos(), each.toNanos()))
                    .toList();
        }
    }

    /** A target's answer, and when it was asked for and came by the source's clock. */
    record Answer(Account account, long askedNanos, long cameNanos) {
        private long trip() {
            return cameNanos - askedNanos;
        }

        /** The one of both that tells better how far the clocks are apart. */
        Answer orQuicker(@Nullable Answer other) {
            return other != null && other.trip() < trip() ? other : this;
        }

        Far far(Scale scale) {
            long offset = account.nowNanos() - (askedNanos + trip() / 2);
            return new Far(
                    new Scale(scale.zeroNanos + offset).parts(account.steps()),
                    account.usage(),
                    offset / NANOS_PER_MILLI,
                    trip() / (2 * NANOS_PER_MILLI));
        }
    }
}
