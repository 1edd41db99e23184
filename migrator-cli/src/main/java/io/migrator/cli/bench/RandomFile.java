package io.migrator.cli.bench;

import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.SplittableRandom;

/**
 * Random bytes in a file in memory, as criu's images are: what is sent, again and again from
 * another offset, by both sides of a comparison. Closing deletes it.
 */
record RandomFile(Path path) implements AutoCloseable {
    static final int BLOCK_BYTES = 1 << 20;

    private static final int BLOCKS = 256;

    static RandomFile create() throws Problem {
        try {
            Path path = Files.createTempFile(Path.of("/dev/shm"), "migrator-bench-", ".random");
            RandomFile made = new RandomFile(path);
            made.fill();
            return made;
        } catch (IOException e) {
            throw Problem.failed("no room for the bytes to be sent")
                    .because(e.toString())
                    .tryThis("see that /dev/shm has 256 MB free");
        }
    }

    private void fill() throws IOException {
        SplittableRandom random = new SplittableRandom();
        byte[] block = new byte[BLOCK_BYTES];
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.WRITE)) {
            for (int i = 0; i < BLOCKS; i++) {
                random.nextBytes(block);
                ByteBuffer rest = ByteBuffer.wrap(block);
                while (rest.hasRemaining()) {
                    file.write(rest);
                }
            }
        }
    }

    /** Takes bytes, at most a block of them at a time. */
    interface Taker {
        void take(long offset, ByteBuffer bytes) throws IOException;
    }

    /** Reads a number of bytes in blocks, over and over, never twice from the same offset. */
    static void read(Path path, long bytes, Taker taker) throws IOException {
        ByteBuffer block = ByteBuffer.allocateDirect(BLOCK_BYTES);
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
            long last = file.size() - BLOCK_BYTES;
            long at = 0;
            int pass = 0;
            for (long sent = 0; sent < bytes; sent += block.limit()) {
                block.clear().limit((int) Math.min(BLOCK_BYTES, bytes - sent));
                while (block.hasRemaining() && file.read(block, at + block.position()) > 0) {
                    continue;
                }
                if (block.hasRemaining()) {
                    throw new IOException(path + " is too short");
                }
                taker.take(sent, block.flip());
                at += BLOCK_BYTES;
                if (at > last) {
                    at = ++pass * 4099L % BLOCK_BYTES;
                }
            }
        }
    }

    @Override
    public void close() throws Problem {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            throw Problem.failed("could not remove " + path).because(e.toString());
        }
    }
}
