package io.migrator.memory;

import io.migrator.linux.ProcessMemory;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
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
    public static final Duration WHOLE = Duration.ofMillis(400);

    /** Enough where the pages that come first are sent while the job runs. */
    public static final Duration SHORT = Duration.ofMillis(100);

    private static final int IMAGES = 30;
    private static final int IMAGE_BYTES = 200;
    private static final int MOST_BLOCKS = 128;
    private static final int BLOCK_BYTES = 1 << 20;

    private WarmUp() {}

    /**
     * Sends some files as images are sent.
     *
     * @param scratch an existing directory of the caller's own, empty
     */
    public static void images(Path scratch, JobSink sink) throws Problem, InterruptedException {
        try {
            for (int i = 0; i < IMAGES; i++) {
                Files.write(
                        scratch.resolve("rehearsal-%d.img".formatted(i)), new byte[IMAGE_BYTES]);
            }
            try (ImageFeed feed = new ImageFeed(scratch, sink)) {
                feed.start();
                feed.complete();
                feed.finish();
            }
            for (int i = 0; i < IMAGES; i++) {
                Files.delete(scratch.resolve("rehearsal-%d.img".formatted(i)));
            }
        } catch (IOException e) {
            throw Problem.failed("the images could not be rehearsed").because(e.toString());
        }
    }

    /**
     * Sends padding, at most 128 MiB of it.
     *
     * @param longest about, {@link #WHOLE} or {@link #SHORT}
     */
    public static void of(Way way, Duration longest) throws Problem, InterruptedException {
        byte[] noise = new byte[BLOCK_BYTES];
        new Random().nextBytes(noise);
        Arrays.fill(noise, 0, BLOCK_BYTES / 2, (byte) 1); // so that compressing is warmed, too
        ByteBuffer source = ByteBuffer.allocateDirect(BLOCK_BYTES).put(noise).flip();
        ByteBuffer block = ByteBuffer.allocateDirect(BLOCK_BYTES);
        long end = System.nanoTime() + longest.toNanos();
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
