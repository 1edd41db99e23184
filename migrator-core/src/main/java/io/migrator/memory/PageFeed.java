package io.migrator.memory;

import io.migrator.instance.ProcessTree;
import io.migrator.linux.ProcessMemory;
import io.migrator.problem.Problem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;

/**
 * Sends pages straight from the frozen processes to the target: no image of them is ever made. Run
 * by one thread.
 *
 * @param tree the frozen processes
 * @param sink takes the pages
 * @param sent told the bytes sent so far
 */
public record PageFeed(ProcessTree tree, JobSink sink, LongConsumer sent) {
    private static final int BLOCK_BYTES = 1 << 20;

    /**
     * Sends the given pages, and returns when all are written to the sink.
     *
     * @throws Problem if a page cannot be read: the tree is not what was dumped
     */
    public void send(HiddenPages pages) throws Problem, InterruptedException {
        ByteBuffer block = ByteBuffer.allocateDirect(BLOCK_BYTES);
        long total = 0;
        try (ProcessMemory memory = new ProcessMemory()) {
            for (Map.Entry<Integer, List<HiddenPages.Range>> each : pages.byPid().entrySet()) {
                long process = processOf(each.getKey());
                for (HiddenPages.Range range : each.getValue()) {
                    long at = range.start();
                    while (at < range.end()) {
                        block.clear().limit((int) Math.min(BLOCK_BYTES, range.end() - at));
                        memory.read(process, at, block);
                        sink.pages(each.getKey(), at, block);
                        at += block.limit();
                        total += block.limit();
                        sent.accept(total);
                    }
                }
            }
        } catch (IOException e) {
            throw Problem.failed("the job's memory cannot be read")
                    .because(e.getMessage())
                    .causedBy(e);
        }
    }

    private long processOf(int pid) throws Problem {
        return tree.members().stream()
                .filter(member -> member.pid() == pid)
                .mapToLong(member -> member.process().pid())
                .findFirst()
                .orElseThrow(
                        () ->
                                Problem.failed("the job changed while it was looked at")
                                        .because("process " + pid + " came meanwhile")
                                        .tryThis("try again"));
    }
}
