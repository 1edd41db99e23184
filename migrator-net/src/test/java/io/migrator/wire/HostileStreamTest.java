package io.migrator.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Streams whose checksums are right and whose contents are not. */
class HostileStreamTest {

    private static final byte[] NOTHING = {};

    private static FrameHeader header(
            FrameType type, int codec, int storedBytes, int rawBytes, int id, long offset) {
        return new FrameHeader(type, codec, 0, storedBytes, rawBytes, id, offset, 0);
    }

    private static String refusal(byte[] stream) {
        return assertThrows(MalformedStreamException.class, () -> SampleStream.read(stream))
                .getMessage();
    }

    private static void assertRefused(String because, FrameHeader header, byte... payload) {
        String message = refusal(SampleStream.forged(header, payload));
        assertTrue(message.contains(because), message);
    }

    @ParameterizedTest
    @ValueSource(ints = {(1 << 20) + 1, Integer.MAX_VALUE, Integer.MIN_VALUE, -1})
    void lengthsOverTheBoundAreRefusedBeforeAnythingIsRead(int bytes) {
        assertRefused("over the bound", header(FrameType.CONTROL, 0, bytes, 1, 0, 0));
        assertRefused("over the bound", header(FrameType.FILE_DATA, 1, 1, bytes, 0, 0));
    }

    @Test
    void fieldsThatATypeDoesNotUseMustBeZero() {
        assertRefused("cannot have", header(FrameType.CONTROL, 0, 1, 1, 7, 0), (byte) 'x');
        assertRefused("cannot have", header(FrameType.CONTROL, 0, 0, 0, 0, 0));
        assertRefused("cannot have", header(FrameType.FILE_OPEN, 0, 1, 1, 7, 9), (byte) 'x');
        assertRefused("cannot have", header(FrameType.FILE_OPEN, 0, 256, 256, 7, 0));
        assertRefused("cannot have", header(FrameType.FILE_DATA, 0, 0, 0, 7, 0));
        assertRefused("cannot have", header(FrameType.FILE_DATA, 0, 1, 1, 7, -1), (byte) 'x');
        assertRefused(
                "cannot have", header(FrameType.FILE_DATA, 0, 1, 1, 7, Long.MAX_VALUE), (byte) 'x');
        assertRefused("cannot have", header(FrameType.FILE_END, 0, 1, 1, 7, 0), (byte) 'x');
        assertRefused("cannot have", header(FrameType.FILE_END, 0, 0, 0, 7, -1));
        assertRefused("cannot have", header(FrameType.END, 0, 0, 0, 1, 0));
        assertRefused("cannot have", header(FrameType.PAGES, 0, 1, 1, 7, 4096), (byte) 'x');
        assertRefused("cannot have", header(FrameType.PAGES, 0, 4096, 4096, 7, 1));
        assertRefused("cannot have", header(FrameType.PAGES, 0, 4096, 4096, 0, 4096));
        assertRefused("cannot have", header(FrameType.PAGES, 0, 4096, 4096, 7, -4096));
        assertRefused("cannot have", header(FrameType.PAGES, 0, 4096, 4096, 7, 1L << 56));
        FrameType scattered = FrameType.SCATTERED_PAGES;
        for (long count : new long[] {-1, 0, 1, 2, 1025, 1L << 40}) { // of one page and two places
            assertRefused("cannot have", header(scattered, 0, 4120, 4120, 7, count));
        }
        assertRefused("cannot have", header(scattered, 0, 8217, 8217, 7, 2));
        assertRefused("cannot have", header(scattered, 0, 8216, 8216, 0, 2));
    }

    @Test
    void placesOfPagesAreOfWholePagesAndOfAllOfThem() {
        long[] addresses = {-4096, 1, 8192, 8192, 8192, 8192, 1L << 56};
        int[] lengths = {4096, 4096, 0, -4096, 4097, 8192, 4096};
        for (int i = 0; i < lengths.length; i++) {
            ByteBuffer payload = ByteBuffer.allocate(2 * WireFormat.PLACE_BYTES + 8192);
            payload.putLong(4096).putInt(4096).putLong(addresses[i]).putInt(lengths[i]);
            int bytes = payload.capacity();
            assertRefused(
                    "place",
                    header(FrameType.SCATTERED_PAGES, 0, bytes, bytes, 7, 2),
                    payload.array());
        }
    }

    @Test
    void zerosAreWholePagesBelowTheLastAddress() {
        FrameType zeros = FrameType.ZERO_PAGES;
        assertRefused("cannot have", header(zeros, 0, 4, 4, 7, 4096));
        assertRefused("cannot have", header(zeros, 0, 8, 8, 0, 4096));
        assertRefused("cannot have", header(zeros, 0, 8, 8, 7, 1));
        assertRefused("cannot have", header(zeros, 0, 8, 8, 7, -4096));
        for (long bytes : new long[] {0, -4096, 1, 4097, 1L << 56, Long.MIN_VALUE}) {
            byte[] payload = ByteBuffer.allocate(Long.BYTES).putLong(bytes).array();
            assertRefused("bytes of zeros", header(zeros, 0, 8, 8, 7, 4096), payload);
        }
    }

    @Test
    void codecsOutOfPlaceAreRefused() {
        assertRefused("unknown codec 2", header(FrameType.FILE_DATA, 2, 1, 1, 0, 0), (byte) 1);
        assertRefused("by codec 1", header(FrameType.CONTROL, 1, 1, 2, 0, 0), (byte) 1);
        assertRefused("by codec 1", header(FrameType.FILE_DATA, 1, 9, 9, 0, 0));
        assertRefused("by codec 0", header(FrameType.FILE_DATA, 0, 1, 2, 0, 0), (byte) 1);
    }

    @Test
    void unknownTypesAndReservedBitsAreRefused() {
        byte[] stream = SampleStream.forged(header(FrameType.END, 0, 0, 0, 0, 0), NOTHING);
        assertTrue(refusal(withHeaderByte(stream, WireFormat.TYPE_AT, 19)).contains("type 19"));
        assertTrue(refusal(withHeaderByte(stream, WireFormat.TYPE_AT, 0)).contains("type 0"));
        assertTrue(refusal(withHeaderByte(stream, WireFormat.TYPE_AT, 255)).contains("type 255"));
        assertTrue(refusal(withHeaderByte(stream, WireFormat.RESERVED_AT, 1)).contains("reserved"));
    }

    private static byte[] withHeaderByte(byte[] stream, int at, int value) {
        byte[] changed = stream.clone();
        changed[WireFormat.PREAMBLE_BYTES + at] = (byte) value;
        ByteBuffer header =
                ByteBuffer.wrap(changed, WireFormat.PREAMBLE_BYTES, WireFormat.HEADER_BYTES)
                        .slice();
        header.putInt(
                WireFormat.HEADER_CHECKSUM_AT,
                SampleStream.checksum(header.slice(0, WireFormat.HEADER_CHECKSUM_AT)));
        return changed;
    }

    @Test
    void anLz4BombStopsAtTheBlockBound() {
        ByteBuffer zeros = ByteBuffer.allocate(64 << 20);
        ByteBuffer stored = ByteBuffer.allocate(Lz4Block.maxStoredBytes(zeros.capacity()));
        byte[] bomb = Arrays.copyOf(stored.array(), Lz4Block.compress(zeros, stored));
        assertTrue(bomb.length < 1 << 20, "64 MiB in less than 1 MiB");
        assertRefused(
                "not an LZ4 block",
                header(FrameType.FILE_DATA, 1, bomb.length, 1 << 20, 0, 0),
                bomb);
    }

    @Test
    void lz4ThatGivesAnotherLengthIsRefused() {
        ByteBuffer raw = SampleStream.repetitive(5000);
        ByteBuffer stored = ByteBuffer.allocate(Lz4Block.maxStoredBytes(5000));
        byte[] block = Arrays.copyOf(stored.array(), Lz4Block.compress(raw, stored));
        for (int claimed : List.of(4999, 5001, 1 << 20)) {
            assertRefused(
                    "not an LZ4 block of " + claimed,
                    header(FrameType.FILE_DATA, 1, block.length, claimed, 0, 0),
                    block);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../x",
                "/etc/passwd",
                ".",
                "..",
                ".hidden",
                "a/b",
                "a\\b",
                "a b",
                "a\0b",
                "é"
            })
    void namesThatAreNotPlainAreRefused(String name) {
        assertFalse(Frame.FileOpen.isSafeName(name));
        assertThrows(IllegalArgumentException.class, () -> new Frame.FileOpen(1, name));
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        assertRefused(
                "forbidden characters",
                header(FrameType.FILE_OPEN, 0, bytes.length, bytes.length, 1, 0),
                bytes);
    }

    @Test
    void namesHaveABound() {
        assertFalse(Frame.FileOpen.isSafeName(""));
        assertTrue(Frame.FileOpen.isSafeName("a".repeat(255)));
        assertFalse(Frame.FileOpen.isSafeName("a".repeat(256)));
    }

    @Test
    void controlMessagesAreUtf8() {
        assertRefused("not UTF-8", header(FrameType.CONTROL, 0, 1, 1, 0, 0), (byte) 0xff);
    }

    @Test
    void filesAreOpenedWrittenAndEndedInThatOrder() {
        ByteBuffer one = ByteBuffer.allocate(1);
        Frame open = new Frame.FileOpen(1, "a");
        assertTrue(written(new Frame.FileData(1, 0, one)).contains("not open"));
        assertTrue(written(new Frame.FileEnd(1, 0)).contains("not open"));
        assertTrue(written(open, open).contains("open already"));
        assertTrue(written(open, new Frame.End()).contains("1 files unfinished"));
        assertTrue(
                written(open, new Frame.FileData(1, 10, one), new Frame.FileEnd(1, 10))
                        .contains("ends at 10 but has data up to 11"));
    }

    @Test
    void openFilesAreBounded() {
        List<Frame> frames = new ArrayList<>();
        for (int id = 0; id <= WireFormat.MAX_OPEN_FILES; id++) {
            frames.add(new Frame.FileOpen(id, "f"));
        }
        assertTrue(written(frames.toArray(Frame[]::new)).contains("too many open files"));
    }

    private static String written(Frame... frames) {
        return refusal(SampleStream.written(frames));
    }

    @Test
    void nextAfterTheEndIsTheCallersFault() throws Exception {
        FrameReader reader =
                new FrameReader(new ByteArrayInputStream(SampleStream.written(new Frame.End())));
        assertThrows(IllegalStateException.class, reader::expectClosed);
        assertEquals(new Frame.End(), reader.next());
        assertThrows(IllegalStateException.class, reader::next);
    }
}
