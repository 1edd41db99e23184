package io.migrator.memory;

import java.time.Duration;
import java.util.List;

/**
 * When to freeze. The job goes on writing as it did before the last round, and what it writes while
 * that was sent is what the freeze would have to send, at the rate of that round: this is the time
 * predicted. A pure function.
 *
 * @param budget for sending what is left, while the job stands still
 */
public record StopRule(Duration budget) {
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

    /** A round that leaves more than this of the one before gained nothing. */
    private static final double LITTLE_GAIN = 0.9;

    /**
     * Decides after a round.
     *
     * @param rounds so far, at least one
     */
    public Verdict decide(List<Round> rounds) {
        if (predictedMillis(rounds) <= budget.toMillis()) {
            return Verdict.FITS;
        }
        if (rounds.size() >= MOST_ROUNDS) {
            return Verdict.LIMIT;
        }
        boolean gains =
                rounds.size() < 3
                        || rounds.getLast().bytes()
                                < LITTLE_GAIN * rounds.get(rounds.size() - 2).bytes();
        return gains ? Verdict.AGAIN : Verdict.NO_GAIN;
    }

    /** How long sending the rest would take after these rounds; infinite if it cannot be told. */
    static double predictedMillis(List<Round> rounds) {
        Round last = rounds.getLast();
        if (last.bytes() == 0) {
            return 0;
        }
        if (rounds.size() < 2) {
            return Double.POSITIVE_INFINITY; // the first sent all there was: no rate of writing yet
        }
        // what the last round sent was written while the one before was sent: by the same rates,
        // the rest is to the last round as that is to the one before
        return last.millis() * last.millis() / rounds.get(rounds.size() - 2).millis();
    }
}
