package io.migrator.criu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

class DumpedLocksTest {
    private static final long MAGIC = 0x5630_3031_5644_6e20L;

    @TempDir private Path images;

    /** As criu's file-lock.proto has it. */
    private static ProtoMessage lock(int pid, int descriptor) {
        return ProtoMessage.empty()
                .with(1, 2)
                .with(2, 1)
                .with(3, pid)
                .with(4, descriptor)
                .with(5, 0)
                .with(6, 0);
    }

    @Test
    void eachLockIsToldByItsHolder() throws IOException {
        new ImageFile(MAGIC, List.of(lock(21, 3), lock(22, 7)))
                .write(images.resolve("filelocks.img"));
        assertEquals(
                List.of(new DumpedLocks.Lock(21, 3), new DumpedLocks.Lock(22, 7)),
                DumpedLocks.of(images));
    }

    @Test
    void withoutAnImageThereAreNone() throws IOException {
        assertEquals(List.of(), DumpedLocks.of(images));
    }

    @Test
    void anImageThatIsCutOffIsRefused() throws IOException {
        Path file = images.resolve("filelocks.img");
        new ImageFile(MAGIC, List.of(lock(21, 3))).write(file);
        byte[] whole = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(whole, whole.length - 1));
        assertThrows(IOException.class, () -> DumpedLocks.of(images));
    }
}
