package io.migrator.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;

import io.migrator.fuzz.Heap;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Any bytes are read as frames, or refused. The first byte of an input says what is put right in
 * the others first: without that nothing would get behind the checksums.
 */
class FrameReaderFuzzTest {
    private static final int PREAMBLE = 1;
    private static final int KINDS = 1 << 1;
    private static final int NUMBERS = 1 << 2;
    private static final int LENGTHS = 1 << 3;
    private static final int PAYLOADS = 1 << 4;
    private static final int HEADERS = 1 << 5;
    private static final int IN_BITS = 1 << 6;
    private static final int ALL = IN_BITS - 1;

    /** Both buffers, and the small ones. */
    private static final long BUFFERS = 2L * WireFormat.MAX_PAYLOAD_BYTES + (64 << 10);

    /** What frames are made of, in this test for their texts, too. */
    private static final int TIMES = 200;

    static Stream<byte[]> seeds() {
        byte[] sound = SampleStream.withEveryKind();
        ByteBuffer zeros = ByteBuffer.allocate(8 << 20);
        ByteBuffer stored = ByteBuffer.allocate(Lz4Block.maxStoredBytes(zeros.capacity()));
        byte[] bomb = Arrays.copyOf(stored.array(), Lz4Block.compress(zeros, stored));
        byte[] stops =
                SampleStream.forged(
                        new FrameHeader(FrameType.FILE_DATA, 1, 0, bomb.length, 1 << 20, 1, 0, 0),
                        bomb);
        return Stream.of(
                seed(0, sound),
                seed(ALL, sound),
                seed(IN_BITS, Arrays.copyOf(sound, sound.length + 1)),
                seed(0, stops));
    }

    private static byte[] seed(int flags, byte[] stream) {
        return ByteBuffer.allocate(stream.length + 1).put((byte) flags).put(stream).array();
    }

    @MethodSource("seeds")
    @Timeout(60)
    @FuzzTest
    void framesAreReadOrRefused(byte[] input) throws IOException {
        if (input.length == 0) {
            return;
        }
        int flags = input[0];
        byte[] stream = mended(Arrays.copyOfRange(input, 1, input.length), flags);
        List<String> first = new ArrayList<>();
        Heap.within(
                BUFFERS + (long) TIMES * input.length,
                () -> {
                    InputStream in = new ByteArrayInputStream(stream);
                    first.clear();
                    read(new FrameReader((flags & IN_BITS) == 0 ? in : inBits(in)), stream, first);
                });
        List<String> again = new ArrayList<>();
        read(new FrameReader(Channels.newChannel(new ByteArrayInputStream(stream))), stream, again);
        assertEquals(first, again, "of a channel and of a stream");
    }

    /** Texts of the frames, and of the refusal if there is one. */
    private static void read(FrameReader reader, byte[] stream, List<String> texts)
            throws IOException {
        try {
            Frame frame;
            do {
                frame = reader.next();
                orImpossible(frame);
                texts.add(SampleStream.text(frame));
            } while (!(frame instanceof Frame.End));
            reader.expectClosed();
            texts.add("closed");
        } catch (MalformedStreamException e) {
            assertTrue(e.offset() >= 0 && e.offset() <= stream.length, e::getMessage);
            texts.add(e.getMessage());
        }
        assertTrue(reader.receivedBytes() <= stream.length);
    }

    /** What takes the frames relies on this. */
    private static void orImpossible(Frame frame) {
        switch (frame) {
            case Frame.Control control -> assertTrue(control.json().hasRemaining());
            case Frame.FileOpen(int _, String name) ->
                    assertTrue(name.matches("[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}"), name);
            case Frame.FileData(int _, long offset, ByteBuffer data) ->
                    assertTrue(offset >= 0 && offset + data.remaining() > offset);
            case Frame.FileEnd(int _, long length) -> assertTrue(length >= 0);
            case Frame.Padding(ByteBuffer data) -> assertTrue(data.hasRemaining());
            case Frame.Pages(int pid, long address, ByteBuffer data) ->
                    pages(pid, address, data.remaining());
            case Frame.ScatteredPages(int pid, List<Frame.Place> places, ByteBuffer data) -> {
                places.forEach(each -> pages(pid, each.address(), each.bytes()));
                assertEquals(places.stream().mapToLong(Frame.Place::bytes).sum(), data.remaining());
            }
            case Frame.ZeroPages(int pid, long address, long bytes) -> pages(pid, address, bytes);
            case Frame.End() -> {}
        }
    }

    private static void pages(int pid, long address, long bytes) {
        assertTrue(pid > 0 && address >= 0 && bytes > 0);
        assertTrue(address % WireFormat.PAGE_BYTES == 0 && bytes % WireFormat.PAGE_BYTES == 0);
        assertTrue(address <= WireFormat.MAX_ADDRESS - bytes);
    }

    private static InputStream inBits(InputStream in) {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                return in.read();
            }

            @Override
            public int read(byte[] to, int offset, int length) throws IOException {
                return in.read(to, offset, Math.min(length, 3));
            }
        };
    }

    private static byte[] mended(byte[] stream, int flags) {
        if ((flags & PREAMBLE) != 0) {
            int bytes = Math.min(stream.length, WireFormat.PREAMBLE_BYTES);
            System.arraycopy(Preamble.bytes(StreamKind.WIRE), 0, stream, 0, bytes);
        }
        int at = WireFormat.PREAMBLE_BYTES;
        for (int number = 0; at + WireFormat.HEADER_BYTES <= stream.length; number++) {
            ByteBuffer frame = ByteBuffer.wrap(stream, at, stream.length - at).slice();
            at += WireFormat.HEADER_BYTES + mend(frame, number, flags);
        }
        return stream;
    }

    /** Bytes of its payload as far as they are there. */
    private static int mend(ByteBuffer frame, int number, int flags) {
        if ((flags & KINDS) != 0) {
            int kind = Math.floorMod(frame.get(WireFormat.TYPE_AT), FrameType.values().length);
            frame.put(WireFormat.TYPE_AT, (byte) FrameType.values()[kind].code());
        }
        if ((flags & NUMBERS) != 0) {
            frame.putShort(WireFormat.RESERVED_AT, (short) 0);
            frame.putInt(WireFormat.SEQUENCE_AT, number);
        }
        int behind = frame.remaining() - WireFormat.HEADER_BYTES;
        int stored = Math.clamp(frame.getInt(WireFormat.STORED_BYTES_AT), 0, behind);
        if ((flags & LENGTHS) != 0) {
            frame.putInt(WireFormat.STORED_BYTES_AT, stored);
            boolean plain = frame.get(WireFormat.CODEC_AT) == WireFormat.CODEC_NONE;
            int raw = frame.getInt(WireFormat.RAW_BYTES_AT);
            frame.putInt(
                    WireFormat.RAW_BYTES_AT,
                    plain ? stored : Math.clamp(raw, 0, WireFormat.MAX_PAYLOAD_BYTES));
        }
        ByteBuffer payload = frame.slice(WireFormat.HEADER_BYTES, stored);
        if ((flags & PAYLOADS) != 0) {
            frame.putInt(WireFormat.PAYLOAD_CHECKSUM_AT, checksum(frame, payload));
        }
        if ((flags & HEADERS) != 0) {
            frame.putInt(
                    WireFormat.HEADER_CHECKSUM_AT,
                    SampleStream.checksum(frame.slice(0, WireFormat.HEADER_CHECKSUM_AT)));
        }
        return stored;
    }

    private static int checksum(ByteBuffer header, ByteBuffer stored) {
        int rawBytes = header.getInt(WireFormat.RAW_BYTES_AT);
        boolean packed =
                header.get(WireFormat.CODEC_AT) == WireFormat.CODEC_LZ4
                        && rawBytes >= 0
                        && rawBytes <= WireFormat.MAX_PAYLOAD_BYTES;
        ByteBuffer raw = ByteBuffer.allocate(packed ? rawBytes : 0);
        if (!packed || !Lz4Block.decompress(stored, stored.remaining(), raw, rawBytes)) {
            return SampleStream.checksum(stored);
        }
        ByteBuffer both = ByteBuffer.allocate(rawBytes + stored.remaining());
        return SampleStream.checksum(both.put(raw).put(stored.duplicate()).flip());
    }
}
