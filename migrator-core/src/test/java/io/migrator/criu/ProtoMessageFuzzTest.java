package io.migrator.criu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.code_intelligence.jazzer.junit.FuzzTest;

import io.migrator.fuzz.Heap;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.util.stream.Stream;

/** Any bytes are a message or are refused; what is read is written as the same again. */
class ProtoMessageFuzzTest {
    private static final int SMALL_BYTES = 16 << 10;

    /** A field may be two bytes long, and is two objects then. */
    private static final int TIMES = 150;

    private static final int DEPTH = 3;
    private static final int IDS = 20;

    static Stream<byte[]> seeds() {
        ProtoMessage inner = ProtoMessage.empty().with(1, 5).with(2, "text").with(18, -1);
        return Stream.of(
                ProtoMessage.empty().with(4, inner).with(4, inner).with(9, true).toBytes(),
                new byte[] {0x0d, 1, 2, 3, 4, 0x09, 1, 2, 3, 4, 5, 6, 7, 8});
    }

    @MethodSource("seeds")
    @Timeout(60)
    @FuzzTest
    void messagesAreReadOrRefused(byte[] input) throws IOException {
        Heap.within(
                SMALL_BYTES + (long) TIMES * input.length,
                () -> {
                    try {
                        ProtoMessage.parse(input);
                    } catch (IOException e) {
                        // refused
                    }
                });
        try {
            read(input, DEPTH);
        } catch (IOException e) {
            return;
        }
        ProtoMessage message = ProtoMessage.parse(input);
        byte[] written = message.toBytes();
        assertArrayEquals(written, ProtoMessage.parse(written).toBytes());
        ProtoMessage changed = message.without(4).with(4, 7);
        assertEquals(7, changed.number(4).orElseThrow());
        assertEquals(message.numbers(5), changed.numbers(5));
    }

    private static void read(byte[] bytes, int depth) throws IOException {
        ProtoMessage message = ProtoMessage.parse(bytes);
        for (int id = 1; id <= IDS && depth > 0; id++) {
            message.number(id);
            message.numbers(id);
            message.text(id);
            try {
                for (ProtoMessage _ : message.messages(id)) {
                    message.bytes(id);
                }
            } catch (IOException e) {
                // bytes that are no message
            }
        }
        if (depth > 0 && message.bytes(1).isPresent()) {
            read(message.bytes(1).orElseThrow(), depth - 1);
        }
    }
}
