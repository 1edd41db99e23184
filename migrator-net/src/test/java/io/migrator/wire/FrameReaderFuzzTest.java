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
 * the others first ({@link MendedStream}).
 */
class FrameReaderFuzzTest {
    private static final int IN_BITS = 1 << 6;

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
                seed(MendedStream.ALL, sound),
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
        byte[] stream =
                MendedStream.of(Arrays.copyOfRange(input, 1, input.length), flags, StreamKind.WIRE);
        List<String> first = new ArrayList<>();
        Heap.within(
                MendedStream.BUFFERS + (long) TIMES * input.length,
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
}
