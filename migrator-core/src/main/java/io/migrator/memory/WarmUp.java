package io.migrator.memory;

import io.migrator.linux.ProcessMemory;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Random;

/**
 * Sends padding on the way that the pages will take. A fresh JVM encrypts, checks and copies at a
 * fraction of its later speed; a stop-and-copy would spend that time while the job stands still.
 */
public final class WarmUp {
    /** Where padding goes; {@link JobSink#padding}. */
    @FunctionalInterface
    public interface Way {
        /** Sends a direct buffer. */
        void padding(ByteBuffer bytes) throws Problem, InterruptedException;
    }

    /** Most of the gain is there after this. */
    private static final Duration LONGEST = Duration.ofMillis(400);

    private static final int MOST_BLOCKS = 128;
    private static final int BLOCK_BYTES = 1 << 20;

    private WarmUp() {}

    /** Sends padding, at most 128 MiB of it and for less than half a second; then returns. */
    public static void of(Way way) throws Problem, InterruptedException {
        byte[] noise = new byte[BLOCK_BYTES];
        new Random().nextBytes(noise);
        ByteBuffer source = ByteBuffer.allocateDirect(BLOCK_BYTES).put(noise).flip();
        ByteBuffer block = ByteBuffer.allocateDirect(BLOCK_BYTES);
        long end = System.nanoTime() + LONGEST.toNanos();
        try (ProcessMemory memory = new ProcessMemory()) {
            for (int sent = 0; sent < MOST_BLOCKS && System.nanoTime() < end; sent++) {
                memory.writeHere(block, source);
                way.padding(block);
            }
        } catch (IOException e) {
            throw Problem.failed("this node does not let memory be read")
                    .because(e.getMessage())
                    .causedBy(e);
        }
    }
}
