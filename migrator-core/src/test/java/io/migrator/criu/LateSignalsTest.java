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

class LateSignalsTest {
    private static final long MAGIC = 0x5630_3031_5570_8c09L;
    private static final int TERM = 15;
    private static final int ALARM = 14;
    private static final int USER = 12;

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
        assertEquals(0, LateSignals.keep(core, 2, bit(TERM), bit(TERM), timers()));
        assertArrayEquals(before, Files.readAllBytes(core));
    }

    @Test
    void whatCameLaterIsBehindIt() throws IOException {
        long both = bit(TERM) | bit(ALARM) | bit(64);
        assertEquals(3, LateSignals.keep(core, 2, bit(ALARM), both, timers()));
        assertEquals(
                List.of(TERM, ALARM, 64),
                queued(3, 10).stream().map(each -> each.getInt(0)).toList());
        assertEquals(
                List.of(TERM, ALARM), queued(5, 9).stream().map(each -> each.getInt(0)).toList());
    }

    /** Timers of the process, none of which were there before. */
    private JobTimers timers(ProtoMessage... posix) throws IOException {
        return timers(0, posix);
    }

    private JobTimers timers(long alarmSeconds, ProtoMessage... posix) throws IOException {
        ProtoMessage none = ProtoMessage.empty().with(3, 0).with(4, 0);
        ProtoMessage all =
                ProtoMessage.empty()
                        .with(1, ProtoMessage.empty().with(3, alarmSeconds).with(4, 0))
                        .with(2, none)
                        .with(3, none);
        for (ProtoMessage each : posix) {
            all = all.with(4, each);
        }
        Path image = images.resolve("core-1.img");
        ProtoMessage task = ProtoMessage.empty().with(7, all);
        new ImageFile(MAGIC, List.of(ProtoMessage.empty().with(3, task))).write(image);
        return JobTimers.in(image);
    }

    private static ProtoMessage posix(long id, long notify, long secondsLeft) {
        return ProtoMessage.empty()
                .with(1, id)
                .with(3, USER)
                .with(4, notify)
                .with(5, 0x1234_5678_9abcL)
                .with(9, secondsLeft)
                .with(10, 0)
                .with(11, 2);
    }

    @Test
    void aTimersSignalTellsWhich() throws IOException {
        JobTimers timers = timers(posix(6, 0, 5), posix(7, 0, 0), posix(8, 1, 0));
        assertEquals(1, LateSignals.keep(core, 2, 0, bit(USER), timers));
        ByteBuffer info = queued(3, 10).getLast();
        assertEquals(-2, info.getInt(8)); // SI_TIMER
        assertEquals(7, info.getInt(16));
        assertEquals(0x1234_5678_9abcL, info.getLong(24));
        assertEquals(1, queued(5, 9).size());
    }

    @Test
    void aTimerOfAThreadTellsThatThread() throws IOException {
        assertEquals(1, LateSignals.keep(core, 2, bit(USER), 0, timers(posix(9, 4, 0))));
        assertEquals(9, queued(5, 9).getLast().getInt(16));
    }

    /** It would come twice. */
    @Test
    void whatATimerWillSendOnceMoreIsLeftToIt() throws IOException {
        assertEquals(0, LateSignals.keep(core, 2, 0, bit(USER), timers(posix(7, 0, 5))));
        assertEquals(0, LateSignals.keep(core, 2, 0, bit(ALARM), timers(5)));
        assertEquals(1, LateSignals.keep(core, 2, 0, bit(ALARM), timers(0)));
    }

    @Test
    void whichOfTwoTimersItWasIsNotGuessed() throws IOException {
        JobTimers two = timers(posix(7, 0, 0), posix(8, 0, 0));
        assertEquals(0, LateSignals.keep(core, 2, 0, bit(USER), two));
    }
}
