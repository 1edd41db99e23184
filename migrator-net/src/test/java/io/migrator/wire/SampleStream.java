package io.migrator.wire;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;

/** Streams to read: a small sound one with a frame of every kind, and forged ones. */
final class SampleStream {

    private SampleStream() {}

    static ByteBuffer random(int bytes) {
        byte[] data = new byte[bytes];
        new Random(bytes).nextBytes(data);
        return ByteBuffer.wrap(data);
    }

    static ByteBuffer repetitive(int bytes) {
        byte[] data = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            data[i] = (byte) (i % 7);
        }
        return ByteBuffer.wrap(data);
    }

    static byte[] withEveryKind() {
        return written(
                Frame.Control.of("{\"hello\":\"wörld\"}"),
                new Frame.FileOpen(1, "pages-1.img"),
                new Frame.FileData(1, 0, random(50)),
                new Frame.FileData(1, 4096, repetitive(300)),
                new Frame.FileEnd(1, 8192),
                new Frame.Padding(random(10)),
                new Frame.Pages(26, 0x7f00_0000_1000L, repetitive(4096)),
                new Frame.ScatteredPages(
                        26,
                        List.of(new Frame.Place(0x3000, 4096), new Frame.Place(0x1000, 8192)),
                        repetitive(12288)),
                new Frame.ZeroPages(26, 0x7f00_0000_2000L, 1L << 40),
                Frame.Control.of("{}"),
                new Frame.End());
    }

    static byte[] written(Frame... frames) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            FrameWriter writer = new FrameWriter(out, Compression.LZ4);
            for (Frame frame : frames) {
                writer.write(frame);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    /** A preamble and then frames whose headers say what we want, checksums being right. */
    static byte[] forged(FrameHeader header, byte[] payload) {
        return forged(header, payload, payload);
    }

    static byte[] forged(FrameHeader header, byte[] stored, byte[] checksummed) {
        CRC32C crc = new CRC32C();
        crc.update(checksummed);
        FrameHeader sealed =
                new FrameHeader(
                        header.type(),
                        header.codec(),
                        header.sequence(),
                        header.storedBytes(),
                        header.rawBytes(),
                        header.fileId(),
                        header.offset(),
                        (int) crc.getValue());
        ByteBuffer bytes = FrameHeader.buffer();
        sealed.encode(bytes, crc);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(Preamble.bytes(StreamKind.WIRE));
        out.writeBytes(bytes.array());
        out.writeBytes(stored);
        return out.toByteArray();
    }

    /** Reads to the end; texts of the frames, so that nothing of the reader's is kept. */
    static List<String> read(byte[] stream) throws IOException {
        return read(new FrameReader(new ByteArrayInputStream(stream)));
    }

    static List<String> read(FrameReader reader) throws IOException {
        List<String> texts = new ArrayList<>();
        Frame frame;
        do {
            frame = reader.next();
            texts.add(text(frame));
        } while (!(frame instanceof Frame.End));
        reader.expectClosed();
        return texts;
    }

    static String text(Frame frame) {
        return switch (frame) {
            case Frame.Control control -> control.text();
            case Frame.FileOpen(int id, String name) -> "open " + id + " " + name;
            case Frame.FileData(int id, long offset, ByteBuffer data) ->
                    "data %d %d %d %08x".formatted(id, offset, data.remaining(), checksum(data));
            case Frame.Padding(ByteBuffer data) -> "padding " + data.remaining();
            case Frame.Pages(int pid, long address, ByteBuffer data) ->
                    "pages %d %x %d %08x".formatted(pid, address, data.remaining(), checksum(data));
            case Frame.ScatteredPages(int pid, List<Frame.Place> places, ByteBuffer data) ->
                    "scattered %d %s %d %08x"
                            .formatted(pid, places, data.remaining(), checksum(data));
            case Frame.ZeroPages(int pid, long address, long bytes) ->
                    "zeros %d %x %d".formatted(pid, address, bytes);
            case Frame.FileEnd(int id, long length) -> "end " + id + " " + length;
            case Frame.End() -> "end";
        };
    }

    static int checksum(ByteBuffer data) {
        CRC32C crc = new CRC32C();
        crc.update(data.duplicate());
        return (int) crc.getValue();
    }
}
