package io.migrator.memory;

import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.LongStream;

/**
 * When to freeze: when what the job has written since the last round began, which the freeze would
 * have to send, goes within the budget; or when it does not get less. A pure function.
 *
 * @param budget for sending what is left, while the job stands still
 * @param patience how many rounds may gain nothing, at least 1: a job may write much for a while
 */
public record StopRule(Duration budget, int patience) {
    /** Why, or that it is too early. */
    public enum Verdict {
        AGAIN,
        /** What is left can be sent within the budget. */
        FITS,
        /** The job writes as fast as it is copied. */
        NO_GAIN,
        /** So many rounds were in vain. */
        LIMIT
    }

    private static final int MOST_ROUNDS = 30;

    /** A smaller round is quick or slow for other reasons. */
    private static final long TELLING_BYTES = 1 << 20;

    /** A round that leaves more than this of what it had to send gained nothing. */
    private static final double LITTLE_GAIN = 0.9;

    /**
     * Decides after a round.
     *
     * @param rounds so far, at least one
     * @param writtenBytes what the next would send; empty if only the next can tell
     */
    public Verdict decide(List<Round> rounds, OptionalLong writtenBytes) {
        if (predictedMillis(rounds, writtenBytes) <= budget.toMillis()) {
            return Verdict.FITS;
        }
        if (rounds.size() >= MOST_ROUNDS) {
            return Verdict.LIMIT;
        }
        long[] sizes =
                LongStream.concat(rounds.stream().mapToLong(Round::bytes), writtenBytes.stream())
                        .toArray();
        int inVain = 0;
        for (int i = 1; i < sizes.length; i++) {
            inVain += sizes[i] >= LITTLE_GAIN * sizes[i - 1] ? 1 : 0;
        }
        return inVain >= patience ? Verdict.NO_GAIN : Verdict.AGAIN;
    }

    /**
     * What can be sent in a time, as slowly as in the slowest of these rounds, since zeros and what
     * can be compressed are sent sooner; 0 if none of them tells.
     */
    public static double bytesWithin(Duration time, List<Round> rounds) {
        return rounds.stream()
                .filter(round -> round.bytes() >= TELLING_BYTES && round.sendingMillis() > 0)
                .mapToDouble(round -> time.toMillis() * round.bytes() / round.sendingMillis())
                .min()
                .orElse(0);
    }

    /** How long sending the rest would take after these rounds; infinite if it cannot be told. */
    public static double predictedMillis(List<Round> rounds, OptionalLong writtenBytes) {
        Round last = rounds.getLast();
        if (writtenBytes.orElse(last.bytes()) == 0) {
            return 0;
        }
        if (writtenBytes.isPresent()) {
            return writtenBytes.getAsLong() * last.sendingMillis() / last.bytes(); // or infinite
        }
        if (rounds.size() < 2) {
            return Double.POSITIVE_INFINITY; // the first sent all there was: no rate of writing yet
        }
        // what the last round sent was written while the one before was sent: by the same rates,
        // the rest is to the last round as that is to the one before
        return last.sendingMillis() * last.millis() / rounds.get(rounds.size() - 2).millis();
    }
}
