package io.migrator.migration;

import io.migrator.handover.Handover.SourceEvent;
import io.migrator.handover.Journal;
import io.migrator.problem.Problem;

import java.time.Duration;

/**
 * What became of a job after the grant, asked of the target by new connections.
 *
 * @param far the target
 * @param head of the source's journal
 */
record Question(FarNode far, Journal.Head head) {
    private static final Duration PATIENCE = Duration.ofSeconds(40);
    private static final Duration PAUSE = Duration.ofSeconds(1);

    /**
     * Asks until the target has decided or the patience is at its end.
     *
     * @return TARGET_RUNS, TARGET_FILLS, TARGET_REFUSED or TARGET_UNKNOWN
     */
    SourceEvent untilDecided() {
        long end = System.nanoTime() + PATIENCE.toNanos();
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    SourceEvent answer = once();
                    if (answer != SourceEvent.TARGET_UNKNOWN || System.nanoTime() > end) {
                        return answer;
                    }
                    Thread.sleep(PAUSE);
                } catch (InterruptedException e) {
                    interrupted = true; // too late: the token is given away
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private SourceEvent once() throws InterruptedException {
        try {
            FarNode.Answer answer = far.refuse(head.id(), head.token());
            return answer.event(head.targetBoot());
        } catch (Problem e) {
            return SourceEvent.TARGET_UNKNOWN; // not reached
        }
    }
}
