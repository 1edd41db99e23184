package io.migrator.wire;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * Reads one direction of a stream and refuses whatever {@link WireFormat} does not allow. For one
 * thread; blocks when the stream does.
 *
 * <p>Memory: two buffers of 1 MiB, whatever the peer says. The buffers in a returned frame belong
 * to the reader and are overwritten by the next call of {@link #next}: use or copy them before.
 */
public final class FrameReader {

    /** Enough for all but bulk data: the large buffers are made when first needed. */
    private static final int SMALL_PAYLOAD_BYTES = 16 << 10;

    private final WireSource source;
    private final StreamKind kind;
    private final CRC32C crc = new CRC32C();
    private final OpenFiles openFiles = new OpenFiles();
    private final ByteBuffer header;
    private ByteBuffer stored;
    private ByteBuffer decompressed;

    private boolean begun;
    private boolean ended;
    private int nextSequence;
    private volatile long rawBytes;

    /** Reads a stream; frames hold arrays. */
    public FrameReader(InputStream in) {
        this(WireSource.of(in), StreamKind.WIRE);
    }

    /**
     * Reads a channel in blocking mode; frames hold direct buffers, which go to a file without
     * being copied through the heap.
     */
    public FrameReader(ReadableByteChannel in) {
        this(in, StreamKind.WIRE);
    }

    /** The same of a stream of that kind. */
    public FrameReader(ReadableByteChannel in, StreamKind kind) {
        this(WireSource.of(in), kind);
    }

    private FrameReader(WireSource source, StreamKind kind) {
        this.source = source;
        this.kind = kind;
        this.header = source.allocate(WireFormat.HEADER_BYTES);
        this.stored = source.allocate(SMALL_PAYLOAD_BYTES);
        this.decompressed = source.allocate(0);
    }

    /**
     * Waits for the next frame. The first call also reads the peer's preamble.
     *
     * @throws MalformedStreamException if the stream is not as it must be, a stream that stops
     *     before {@link Frame.End} included; the reader is of no use after
     * @throws IllegalStateException after {@link Frame.End}
     */
    public Frame next() throws IOException {
        if (ended) {
            throw new IllegalStateException("the stream has ended");
        }
        if (!begun) {
            Preamble.read(source, kind);
            begun = true;
        }
        long at = source.offset();
        FrameHeader head = readHeader(at);
        checkSequence(head.sequence(), at);
        ByteBuffer payload = readPayload(head, at);
        rawBytes += head.rawBytes();
        return toFrame(head, payload, at);
    }

    /**
     * After {@link Frame.End}: waits until the peer closes the stream.
     *
     * @throws MalformedStreamException if anything more arrives
     */
    public void expectClosed() throws IOException {
        if (!ended) {
            throw new IllegalStateException("the stream has not ended");
        }
        long at = source.offset();
        if (source.fill(header.clear().limit(1)) != 0) {
            throw new MalformedStreamException("bytes after the end of the stream", at);
        }
    }

    /** Bytes of payloads so far, after decompression. */
    public long rawBytes() {
        return rawBytes;
    }

    /** Bytes taken from the stream so far. */
    public long receivedBytes() {
        return source.offset();
    }

    private FrameHeader readHeader(long at) throws IOException {
        int got = source.fill(header.clear());
        if (got == 0) {
            throw new MalformedStreamException("the stream stopped before its END frame", at);
        }
        if (got < WireFormat.HEADER_BYTES) {
            throw new MalformedStreamException(
                    "the stream stopped inside a frame header", source.offset());
        }
        return FrameHeader.decode(header, crc, at);
    }

    private void checkSequence(int sequence, long at) throws MalformedStreamException {
        if (sequence != nextSequence) {
            String fault =
                    sequence == nextSequence - 1
                            ? "repeated frame"
                            : Integer.compareUnsigned(sequence, nextSequence) > 0
                                    ? "missing frame"
                                    : "frame out of order";
            throw new MalformedStreamException(
                    "%s: number %s where %s was due"
                            .formatted(
                                    fault,
                                    Integer.toUnsignedString(sequence),
                                    Integer.toUnsignedString(nextSequence)),
                    at);
        }
        nextSequence++;
    }

    private ByteBuffer readPayload(FrameHeader head, long at) throws IOException {
        if (head.storedBytes() > stored.capacity()) {
            stored = source.allocate(WireFormat.MAX_PAYLOAD_BYTES);
        }
        stored.clear().limit(head.storedBytes());
        if (source.fill(stored) < head.storedBytes()) {
            throw new MalformedStreamException(
                    "the stream stopped inside a payload", source.offset());
        }
        stored.flip();
        ByteBuffer raw = head.codec() == WireFormat.CODEC_LZ4 ? decompress(head, at) : stored;
        crc.reset();
        crc.update(raw.duplicate());
        if (raw != stored) {
            crc.update(stored.duplicate());
        }
        if ((int) crc.getValue() != head.payloadChecksum()) {
            throw new MalformedStreamException("damaged payload: checksum differs", at);
        }
        return raw;
    }

    private ByteBuffer decompress(FrameHeader head, long at) throws MalformedStreamException {
        if (decompressed.capacity() < WireFormat.MAX_PAYLOAD_BYTES) {
            decompressed = source.allocate(WireFormat.MAX_PAYLOAD_BYTES);
        }
        ByteBuffer raw = decompressed;
        raw.clear();
        if (!Lz4Block.decompress(stored, head.storedBytes(), raw, head.rawBytes())) {
            throw new MalformedStreamException(
                    "damaged payload: not an LZ4 block of %d bytes".formatted(head.rawBytes()), at);
        }
        return raw.limit(head.rawBytes());
    }

    private Frame toFrame(FrameHeader head, ByteBuffer payload, long at) throws IOException {
        int id = head.fileId();
        return switch (head.type()) {
            case CONTROL -> control(payload, at);
            case FILE_OPEN -> fileOpen(id, payload, at);
            case FILE_DATA -> {
                openFiles.data(id, head.offset() + head.rawBytes(), at);
                yield new Frame.FileData(id, head.offset(), payload.slice());
            }
            case PADDING -> new Frame.Padding(payload.slice());
            case PAGES -> new Frame.Pages(id, head.offset(), payload.slice());
            case SCATTERED_PAGES -> scattered(id, (int) head.offset(), payload, at);
            case ZERO_PAGES -> zeroes(id, head.offset(), payload.getLong(), at);
            case FILE_END -> {
                openFiles.end(id, head.offset(), at);
                yield new Frame.FileEnd(id, head.offset());
            }
            case END -> {
                openFiles.allEnded(at);
                ended = true;
                yield new Frame.End();
            }
        };
    }

    private static Frame scattered(int pid, int count, ByteBuffer payload, long at)
            throws MalformedStreamException {
        List<Frame.Place> places = new ArrayList<>(count);
        long bytes = 0;
        for (int i = 0; i < count; i++) {
            Frame.Place place = new Frame.Place(payload.getLong(), payload.getInt());
            if (place.bytes() <= 0
                    || place.bytes() % WireFormat.PAGE_BYTES != 0
                    || place.address() < 0
                    || place.address() % WireFormat.PAGE_BYTES != 0
                    || place.address() > WireFormat.MAX_ADDRESS - place.bytes()) {
                throw new MalformedStreamException("place of pages " + place, at);
            }
            places.add(place);
            bytes += place.bytes();
        }
        if (bytes != payload.remaining()) {
            throw new MalformedStreamException(
                    "places of %d bytes for %d bytes of pages"
                            .formatted(bytes, payload.remaining()),
                    at);
        }
        return new Frame.ScatteredPages(pid, places, payload.slice());
    }

    private static Frame zeroes(int pid, long address, long bytes, long at)
            throws MalformedStreamException {
        if (bytes <= 0
                || bytes % WireFormat.PAGE_BYTES != 0
                || bytes > WireFormat.MAX_ADDRESS - address) {
            throw new MalformedStreamException(
                    "%d bytes of zeros at %x".formatted(bytes, address), at);
        }
        return new Frame.ZeroPages(pid, address, bytes);
    }

    private static Frame control(ByteBuffer payload, long at) throws MalformedStreamException {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(payload.duplicate());
        } catch (CharacterCodingException _) {
            throw new MalformedStreamException("control message is not UTF-8", at);
        }
        return new Frame.Control(payload.slice());
    }

    private Frame fileOpen(int id, ByteBuffer payload, long at) throws MalformedStreamException {
        String name = StandardCharsets.ISO_8859_1.decode(payload).toString();
        if (!Frame.FileOpen.isSafeName(name)) {
            throw new MalformedStreamException("file name with forbidden characters", at);
        }
        openFiles.open(id, at);
        return new Frame.FileOpen(id, name);
    }
}
