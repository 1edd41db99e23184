package io.migrator.migration;

import io.migrator.problem.Problem;

import java.io.IOException;

/**
 * Does over and over, on a thread of its own, what is to be quick in the freeze, while others are
 * waited for: a virtual machine runs the first few hundred times of anything many times slower.
 * What fails there is only not rehearsed: it fails again in earnest. Any thread.
 */
public final class Rehearsal implements AutoCloseable {
    /** After as many HotSpot compiles a method (Tier3InvocationThreshold, with some to spare). */
    private static final int TIMES = 400;

    private final Piece[] pieces;
    private final Background work;

    /** What is rehearsed; changes nothing that anybody sees. */
    @FunctionalInterface
    public interface Piece {
        /** Does it once. */
        void run() throws Problem, InterruptedException, IOException;
    }

    private Rehearsal(Piece[] pieces) {
        this.pieces = pieces;
        this.work = Background.start("rehearsal", this::play);
    }

    /** Begins; to be closed when there is something to do. */
    public static Rehearsal of(Piece... pieces) {
        return new Rehearsal(pieces);
    }

    private void play() throws Problem, InterruptedException, IOException {
        for (int i = 0; i < TIMES; i++) {
            for (Piece each : pieces) {
                if (Thread.interrupted()) {
                    return;
                }
                each.run();
            }
        }
    }

    /** Ends it, after what is being done. */
    @Override
    public void close() {
        work.stop();
    }
}
