package io.migrator.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.util.List;
import java.util.stream.Stream;

class RoundTripTest {

    private static final List<String> EVERY_KIND =
            List.of(
                    "{\"hello\":\"wörld\"}",
                    "open 1 pages-1.img",
                    "data 1 0 50 %08x".formatted(SampleStream.checksum(SampleStream.random(50))),
                    "data 1 4096 300 %08x"
                            .formatted(SampleStream.checksum(SampleStream.repetitive(300))),
                    "end 1 8192",
                    "padding 10",
                    "pages 26 7f0000001000 4096 %08x"
                            .formatted(SampleStream.checksum(SampleStream.repetitive(4096))),
                    "scattered 26 [Place[address=12288, bytes=4096], Place[address=4096, bytes=8192]] 12288 %08x"
                            .formatted(SampleStream.checksum(SampleStream.repetitive(12288))),
                    "zeros 26 7f0000002000 1099511627776",
                    "{}",
                    "end");

    @Test
    void everyKindOfFrameArrives() throws IOException {
        assertEquals(EVERY_KIND, SampleStream.read(SampleStream.withEveryKind()));
    }

    @Test
    void everyKindOfFrameArrivesOverAChannel() throws IOException {
        ByteArrayInputStream in = new ByteArrayInputStream(SampleStream.withEveryKind());
        assertEquals(EVERY_KIND, SampleStream.read(new FrameReader(Channels.newChannel(in))));
    }

    @ParameterizedTest
    @EnumSource
    void largeDataIsSplitAndArrives(Compression compression) throws IOException {
        int bytes = (5 << 20) / 2;
        for (ByteBuffer data : buffersOf(bytes)) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            FrameWriter writer = new FrameWriter(out, compression);
            writer.write(new Frame.FileOpen(9, "a"));
            writer.write(new Frame.FileData(9, 1L << 40, data));
            writer.write(new Frame.FileEnd(9, (1L << 40) + bytes));
            writer.write(new Frame.End());
            assertEquals(0, data.position(), "the buffer is left as it was");
            assertEquals(out.size(), writer.sentBytes());

            FrameReader reader = new FrameReader(new ByteArrayInputStream(out.toByteArray()));
            reader.next();
            ByteBuffer arrived = ByteBuffer.allocate(bytes);
            while (reader.next() instanceof Frame.FileData part) {
                assertEquals((1L << 40) + arrived.position(), part.offset());
                arrived.put(part.data());
            }
            assertEquals(data, arrived.flip());
            assertEquals(writer.rawBytes(), reader.rawBytes());
            assertTrue(reader.next() instanceof Frame.End);
            assertEquals(writer.sentBytes(), reader.receivedBytes());
        }
    }

    private static List<ByteBuffer> buffersOf(int bytes) {
        ByteBuffer direct = ByteBuffer.allocateDirect(bytes);
        direct.put(SampleStream.repetitive(bytes)).flip();
        ByteBuffer part = ByteBuffer.allocate(bytes + 20).position(10).limit(bytes + 10).slice();
        part.put(SampleStream.random(bytes)).flip();
        return List.of(
                SampleStream.random(bytes),
                SampleStream.repetitive(bytes),
                direct,
                part,
                direct.asReadOnlyBuffer(),
                SampleStream.repetitive(bytes).asReadOnlyBuffer());
    }

    @Test
    void repetitiveDataShrinksAndRandomDataDoesNotGrow() {
        int repetitive = SampleStream.written(data(SampleStream.repetitive(1 << 20))).length;
        int random = SampleStream.written(data(SampleStream.random(1 << 20))).length;
        assertTrue(repetitive < 1 << 14, () -> repetitive + " bytes");
        assertEquals(WireFormat.PREAMBLE_BYTES + WireFormat.HEADER_BYTES + (1 << 20), random);
    }

    private static Frame data(ByteBuffer bytes) {
        return new Frame.FileData(1, 0, bytes);
    }

    @Test
    void severalWritersDoNotMix() throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        FrameWriter writer = new FrameWriter(out, Compression.AUTO);
        List<Thread> threads =
                Stream.of(1, 2, 3)
                        .map(id -> Thread.ofVirtual().start(() -> file(writer, id)))
                        .toList();
        for (Thread thread : threads) {
            thread.join();
        }
        writer.write(new Frame.End());
        List<String> frames = SampleStream.read(out.toByteArray());
        assertEquals(3 * (1 + 40 + 40 + 1) + 1, frames.size());
        assertEquals("end", frames.getLast());
    }

    private static void file(FrameWriter writer, int id) {
        try {
            writer.write(new Frame.FileOpen(id, "f" + id));
            for (int i = 0; i < 40; i++) {
                ByteBuffer data =
                        i % 2 == 0 ? SampleStream.random(10_000) : SampleStream.repetitive(10_000);
                writer.write(new Frame.FileData(id, i * 10_000L, data));
                writer.write(Frame.Control.of("{\"id\":" + id + "}"));
            }
            writer.write(new Frame.FileEnd(id, 400_000));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aStreamThatFailedIsNotWrittenToAgain() throws IOException {
        OutputStream failing =
                new OutputStream() {
                    private int bytesLeft = 20;

                    @Override
                    public void write(int b) throws IOException {
                        if (bytesLeft-- <= 0) {
                            throw new IOException("cut");
                        }
                    }
                };
        FrameWriter writer = new FrameWriter(failing, Compression.NONE);
        assertThrows(IOException.class, () -> writer.write(Frame.Control.of("{}")));
        IOException again =
                assertThrows(IOException.class, () -> writer.write(Frame.Control.of("{}")));
        assertEquals("the stream failed earlier", again.getMessage());
    }

    @Test
    void nothingFollowsTheEnd() throws IOException {
        FrameWriter writer = new FrameWriter(OutputStream.nullOutputStream(), Compression.NONE);
        writer.write(new Frame.End());
        assertThrows(IllegalStateException.class, () -> writer.write(new Frame.End()));
    }

    @Test
    void aWriterRefusesWhatAReaderWould() throws IOException {
        FrameWriter writer = new FrameWriter(OutputStream.nullOutputStream(), Compression.NONE);
        assertThrows(
                IllegalArgumentException.class,
                () -> writer.write(new Frame.Control(ByteBuffer.allocate(0))));
        assertThrows(
                IllegalArgumentException.class,
                () -> writer.write(new Frame.Control(ByteBuffer.allocate((1 << 20) + 1))));
        assertThrows(
                IllegalArgumentException.class,
                () -> writer.write(new Frame.FileData(1, -1, ByteBuffer.allocate(1))));
        assertThrows(IllegalArgumentException.class, () -> writer.write(new Frame.FileEnd(1, -1)));
    }
}
