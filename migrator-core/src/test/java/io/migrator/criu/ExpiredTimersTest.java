package io.migrator.criu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

class ExpiredTimersTest {
    private static final long MAGIC = 0x5630_3031_5644_6e20L;
    private static final int TIMERFD = 12;

    @TempDir private Path images;
    private Path file;

    @BeforeEach
    void name() {
        file = images.resolve("files.img");
    }

    /** Type, id, and the timer in field 12 as criu's fdinfo.proto has it. */
    private static ProtoMessage timer(long ticks, long leftNanos, long intervalNanos) {
        ProtoMessage timer =
                ProtoMessage.empty()
                        .with(1, 7)
                        .with(5, ticks)
                        .with(7, 0)
                        .with(8, leftNanos)
                        .with(9, 0)
                        .with(10, intervalNanos);
        return ProtoMessage.empty().with(1, 17).with(2, 7).with(TIMERFD, timer);
    }

    private static long leftNanos(ProtoMessage entry) throws IOException {
        return entry.messages(TIMERFD).getFirst().number(8).orElseThrow();
    }

    @Test
    void anExpiredPeriodicTimerGetsTheLeastTimeThereIs() throws IOException {
        ProtoMessage pipe = ProtoMessage.empty().with(1, 5).with(2, 3).with(9, "kept");
        new ImageFile(MAGIC, List.of(timer(3, 0, 10_000_000), pipe)).write(file);

        assertEquals(1, ExpiredTimers.arm(images));

        ImageFile changed = ImageFile.read(file);
        assertEquals(MAGIC, changed.magic());
        assertEquals(1, leftNanos(changed.entries().getFirst()));
        assertArrayEquals(pipe.toBytes(), changed.entries().get(1).toBytes());
    }

    @Test
    void timersThatAreArmedDisarmedOrOneShotStayAsTheyAre() throws IOException {
        new ImageFile(
                        MAGIC,
                        List.of(timer(3, 500, 10_000_000), timer(0, 0, 10_000_000), timer(1, 0, 0)))
                .write(file);
        byte[] before = Files.readAllBytes(file);

        assertEquals(0, ExpiredTimers.arm(images));

        assertArrayEquals(before, Files.readAllBytes(file));
    }

    @Test
    void anImageThatIsCutOffIsRefused() throws IOException {
        new ImageFile(MAGIC, List.of(timer(3, 0, 10_000_000))).write(file);
        byte[] whole = Files.readAllBytes(file);
        for (int length = 0; length < whole.length; length++) {
            if (length != Long.BYTES) { // an image without entries is one
                Files.write(file, Arrays.copyOf(whole, length));
                assertThrows(IOException.class, () -> ExpiredTimers.arm(images));
            }
        }
    }
}
