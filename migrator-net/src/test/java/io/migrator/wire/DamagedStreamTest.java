package io.migrator.wire;

import static io.migrator.wire.SampleStream.read;
import static io.migrator.wire.SampleStream.withEveryKind;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

class DamagedStreamTest {

    @Test
    void aStreamCutAnywhereIsRefusedWhereItWasCut() {
        byte[] stream = withEveryKind();
        for (int cut = 0; cut < stream.length; cut++) {
            byte[] part = Arrays.copyOf(stream, cut);
            MalformedStreamException refusal =
                    assertThrows(MalformedStreamException.class, () -> read(part));
            assertEquals(cut, refusal.offset(), refusal.getMessage());
            assertTrue(
                    refusal.getMessage().matches(".*(stopped|closed).*byte " + cut + " of.*"),
                    refusal.getMessage());
        }
    }

    @Test
    void anyBitThatChangesIsNoticed() {
        byte[] stream = withEveryKind();
        for (int at = 0; at < stream.length; at++) {
            for (int bit = 0; bit < Byte.SIZE; bit++) {
                byte[] damaged = stream.clone();
                damaged[at] ^= (byte) (1 << bit);
                MalformedStreamException refusal =
                        assertThrows(
                                MalformedStreamException.class,
                                () -> read(damaged),
                                "bit " + bit + " of byte " + at);
                assertTrue(refusal.offset() <= at, refusal.getMessage());
            }
        }
    }

    @Test
    void bytesAfterTheEndAreRefused() {
        byte[] stream = withEveryKind();
        MalformedStreamException refusal = refusal(Arrays.copyOf(stream, stream.length + 1));
        assertEquals(stream.length, refusal.offset());
        assertTrue(refusal.getMessage().startsWith("bytes after the end"), refusal.getMessage());
    }

    @Test
    void repeatedMissingAndReorderedFramesAreToldApart() {
        assertEquals("repeated frame", fault(0, 0));
        assertEquals("missing frame", fault(0, 2));
        assertEquals("missing frame", fault(1));
        assertEquals("frame out of order", fault(0, 1, 2, 1));
        assertEquals("frame out of order", fault(0, 1, 0));
    }

    /** The fault of a stream of empty control messages in this order. */
    private static String fault(int... order) {
        byte[] stream =
                SampleStream.written(
                        Frame.Control.of("a"), Frame.Control.of("b"), Frame.Control.of("c"));
        int frameBytes = WireFormat.HEADER_BYTES + 1;
        ByteArrayOutputStream shuffled = new ByteArrayOutputStream();
        shuffled.write(stream, 0, WireFormat.PREAMBLE_BYTES);
        for (int frame : order) {
            shuffled.write(stream, WireFormat.PREAMBLE_BYTES + frame * frameBytes, frameBytes);
        }
        String message = refusal(shuffled.toByteArray()).getMessage();
        return message.substring(0, message.indexOf(':'));
    }

    @Test
    void aLoginScriptThatPrintsIsShown() {
        byte[] stream = "Welcome to node2\n".getBytes(StandardCharsets.US_ASCII);
        assertTrue(refusal(stream).getMessage().contains("with 'Welcome '"));
        byte[] few = "Hi\n".getBytes(StandardCharsets.US_ASCII);
        assertTrue(refusal(few).getMessage().contains("with 'Hi.'"));
    }

    @Test
    void anotherVersionIsRefusedWithBothNumbers() {
        byte[] stream = withEveryKind();
        ByteBuffer.wrap(stream).putShort(4, (short) 300);
        assertEquals(
                "this side speaks protocol 11, the peer speaks 300, at byte 0 of the stream",
                refusal(stream).getMessage());
    }

    private static MalformedStreamException refusal(byte[] stream) {
        return assertThrows(MalformedStreamException.class, () -> read(stream));
    }
}
