package io.migrator.fault;

import io.migrator.linux.Command;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * /dev/shm without a byte left. It is made as small as what is in it first: filling half of a
 * machine's memory would be a fault of another kind.
 */
final class FullMemory {
    private static final Path MEMORY = Path.of("/dev/shm");
    private static final Path FILE = MEMORY.resolve("migrator-fault-fill");
    private static final Duration PROGRAM = Duration.ofSeconds(10);
    private static final int PAGE_BYTES = 4096;
    private static final long SPARE_BYTES = 16L * PAGE_BYTES;

    private FullMemory() {}

    static void fill() throws IOException, Problem, InterruptedException {
        FileStore store = Files.getFileStore(MEMORY);
        long usedBytes = store.getTotalSpace() - store.getUnallocatedSpace();
        Command.of("mount", "-o", "remount,size=" + (usedBytes + SPARE_BYTES), MEMORY.toString())
                .run(PROGRAM)
                .orFail("/dev/shm could not be made small");
        byte[] page = new byte[PAGE_BYTES];
        try (OutputStream out = Files.newOutputStream(FILE)) {
            while (true) {
                out.write(page);
            }
        } catch (IOException e) {
            if (store.getUsableSpace() > 0) {
                throw e;
            }
        }
    }
}
