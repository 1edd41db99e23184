package io.migrator.cli;

import io.migrator.files.FileWish;
import io.migrator.migration.Feasibility;
import io.migrator.problem.Problem;
import io.migrator.ssh.Transport;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Asks several nodes whether a job could go there, each over a connection of its own. What fails
 * with one of them is its answer.
 */
record NodeQuestion(FarSide farSide, Feasibility feasibility, FileWish files) {
    /** Logging in takes processor time, and the job's node has work to do. */
    private static final int MOST_AT_ONCE = 8;

    /**
     * Asks; interrupting the thread ends that.
     *
     * @return the answers in the order of the nodes
     */
    List<NodeAnswer> of(List<String> nodes) throws InterruptedException {
        // virtual, as an interrupt then ends even a connection that is being made
        try (ExecutorService asking =
                Executors.newFixedThreadPool(
                        Math.min(nodes.size(), MOST_AT_ONCE), Thread.ofVirtual().factory())) {
            try {
                List<Future<NodeAnswer>> coming = new ArrayList<>();
                for (String node : nodes) {
                    coming.add(asking.submit(() -> of(node)));
                }
                List<NodeAnswer> answers = new ArrayList<>();
                for (Future<NodeAnswer> each : coming) {
                    answers.add(each.get());
                }
                return answers;
            } catch (ExecutionException e) {
                throw new IllegalStateException(e.getCause());
            } finally {
                asking.shutdownNow();
            }
        }
    }

    private NodeAnswer of(String node) throws InterruptedException {
        Transport transport;
        try {
            transport = farSide.dial(node);
        } catch (Problem e) {
            return NodeAnswer.failed(node, false, e);
        }
        try (FarSide.Link link = farSide.start(node, transport)) {
            return NodeAnswer.of(node, feasibility.on(link.target(), files));
        } catch (Problem e) {
            return NodeAnswer.failed(node, true, e);
        }
    }
}
