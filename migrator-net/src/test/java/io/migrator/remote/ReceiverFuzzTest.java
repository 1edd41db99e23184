package io.migrator.remote;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;

import io.migrator.problem.Problem;
import io.migrator.remote.Envelope.Kind;
import io.migrator.wire.Compression;
import io.migrator.wire.Frame;
import io.migrator.wire.FrameReader;
import io.migrator.wire.FrameWriter;

import org.junit.jupiter.api.Timeout;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A source that was not asked to prepare anything may send what it likes in any order: it is
 * answered or refused, and nothing is left. What runs programs (SURVEY, PREPARE) is left out.
 */
class ReceiverFuzzTest {
    private static final Duration SILENCE = Duration.ofSeconds(25);
    private static final int MOST_FRAMES = 12;
    private static final int PREAMBLE_BYTES = 8;
    private static final List<String> BODIES = List.copyOf(Bodies.all().values());

    @Timeout(60)
    @FuzzTest
    void whateverIsSentIsAnsweredOrRefused(FuzzedDataProvider data) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        FrameWriter writer = new FrameWriter(bytes, Compression.NONE);
        for (int each = 0; each < MOST_FRAMES && data.remainingBytes() > 0; each++) {
            writer.write(frame(data));
        }
        if (data.consumeBoolean()) {
            writer.write(new Frame.End());
        }
        ByteArrayOutputStream answers = new ByteArrayOutputStream();
        List<String> reported = new ArrayList<>();
        try {
            new Receiver(
                            Channels.newChannel(new ByteArrayInputStream(bytes.toByteArray())),
                            answers,
                            reported::add,
                            SILENCE)
                    .serve();
        } catch (IOException | Problem e) {
            // refused
        }
        assertEquals(List.of(), reported);
        assertFalse(Thread.interrupted(), "interrupted");
        ByteArrayInputStream answered = new ByteArrayInputStream(answers.toByteArray());
        FrameReader reader = new FrameReader(answered);
        while (answered.available() > (reader.receivedBytes() == 0 ? PREAMBLE_BYTES : 0)) {
            Envelope.parse(assertInstanceOf(Frame.Control.class, reader.next()));
        }
    }

    private static Frame frame(FuzzedDataProvider data) {
        int id = data.consumeInt(1, 5);
        return switch (data.consumeInt(0, 9)) {
            case 0 ->
                    new Frame.FileOpen(
                            id, data.pickValue(new String[] {"core-1.img", "carried-1"}));
            case 1 -> new Frame.FileData(id, data.consumeInt(0, 9), ByteBuffer.allocate(8));
            case 2 -> new Frame.FileEnd(id, data.consumeInt(0, 99));
            case 3 -> new Frame.Pages(id, 4096, ByteBuffer.allocate(4096));
            case 4 -> new Frame.ZeroPages(id, 4096, 8192);
            case 5 -> new Frame.Padding(ByteBuffer.allocate(8));
            default -> Frame.Control.of(message(data));
        };
    }

    private static String message(FuzzedDataProvider data) {
        Kind kind = data.pickValue(Kind.values());
        if (kind == Kind.SURVEY || kind == Kind.PREPARE) {
            kind = Kind.LOAD;
        }
        String body =
                switch (data.consumeInt(0, 3)) {
                    case 0 -> "null";
                    case 1 -> data.consumeString(100);
                    default -> data.pickValue(BODIES);
                };
        return "{\"kind\":\"%s\",\"number\":%d,\"body\":%s}"
                .formatted(kind, data.consumeInt(0, 9), body);
    }
}
