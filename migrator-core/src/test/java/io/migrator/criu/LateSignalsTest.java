package io.migrator.criu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

class LateSignalsTest {
    private static final long MAGIC = 0x5630_3031_5570_8c09L;
    private static final int TERM = 15;
    private static final int ALARM = 14;

    @TempDir private Path images;
    private Path core;

    /** A thread with SIGTERM in both queues: the task's and its own. */
    @BeforeEach
    void write() throws IOException {
        core = images.resolve("core-2.img");
        byte[] info = new byte[128];
        info[0] = TERM;
        ProtoMessage queue = ProtoMessage.empty().with(1, ProtoMessage.empty().with(1, info));
        ProtoMessage entry =
                ProtoMessage.empty()
                        .with(3, ProtoMessage.empty().with(1, 1).with(10, queue).with(6, "name"))
                        .with(5, ProtoMessage.empty().with(9, queue));
        new ImageFile(MAGIC, List.of(entry)).write(core);
    }

    private List<ByteBuffer> queued(int part, int queue) throws IOException {
        return ImageFile.read(core)
                .entries()
                .getFirst()
                .messages(part)
                .getFirst()
                .messages(queue)
                .getFirst()
                .messages(1)
                .stream()
                .map(each -> ByteBuffer.wrap(each.bytes(1).orElseThrow()))
                .map(each -> each.order(ByteOrder.LITTLE_ENDIAN))
                .toList();
    }

    private static long bit(int signal) {
        return 1L << (signal - 1);
    }

    @Test
    void whatIsQueuedAlreadyStaysAsItIs() throws IOException {
        byte[] before = Files.readAllBytes(core);
        assertEquals(0, LateSignals.keep(core, bit(TERM), bit(TERM), Map.of()));
        assertArrayEquals(before, Files.readAllBytes(core));
    }

    @Test
    void whatCameLaterIsBehindIt() throws IOException {
        long both = bit(TERM) | bit(ALARM) | bit(64);
        assertEquals(3, LateSignals.keep(core, bit(ALARM), both, Map.of()));
        assertEquals(
                List.of(TERM, ALARM, 64),
                queued(3, 10).stream().map(each -> each.getInt(0)).toList());
        assertEquals(
                List.of(TERM, ALARM), queued(5, 9).stream().map(each -> each.getInt(0)).toList());
    }

    @Test
    void aTimersSignalTellsWhich() throws IOException {
        ProtoMessage timer =
                ProtoMessage.empty().with(1, 7).with(3, ALARM).with(5, 0x1234_5678_9abcL);
        LateSignals.keep(core, 0, bit(ALARM), Map.of((long) ALARM, timer));
        ByteBuffer info = queued(3, 10).getLast();
        assertEquals(-2, info.getInt(8)); // SI_TIMER
        assertEquals(7, info.getInt(16));
        assertEquals(0x1234_5678_9abcL, info.getLong(24));
        assertEquals(1, queued(5, 9).size());
    }
}
