package io.migrator.wire;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * One frame made ready by one thread, and the buffers for that, used again for the next. Everything
 * but the sequence number is known before {@link #writeTo}.
 */
final class OutgoingFrame {

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final CRC32C crc = new CRC32C();
    private final ByteBuffer header = FrameHeader.buffer();
    private @Nullable ByteBuffer scratch;
    private @Nullable ByteBuffer joined;

    private FrameHeader draft = new FrameHeader(FrameType.END, 0, 0, 0, 0, 0, 0, 0);
    private ByteBuffer payload = NOTHING;

    FrameType type() {
        return draft.type();
    }

    int rawBytes() {
        return draft.rawBytes();
    }

    int storedBytes() {
        return draft.storedBytes();
    }

    /** A frame that consists of its header. */
    void empty(FrameType type, int id, long offset) {
        plain(type, id, offset, NOTHING);
    }

    /** A frame whose payload goes as it is; an array is not copied. */
    void plain(FrameType type, int id, long offset, ByteBuffer bytes) {
        checksum(bytes);
        fill(type, WireFormat.CODEC_NONE, id, offset, bytes.remaining(), bytes);
    }

    /** File data or pages, compressed if the gauge says so and it pays. */
    void data(FrameType type, int id, long offset, ByteBuffer raw, CompressionGauge gauge) {
        boolean reachable = raw.hasArray() || raw.isDirect();
        if (!reachable || !gauge.tryNext()) {
            plain(type, id, offset, raw);
            return;
        }
        ByteBuffer stored = scratch();
        int storedBytes = Lz4Block.compress(raw, stored);
        if (!gauge.worthSending(raw.remaining(), storedBytes)) {
            plain(type, id, offset, raw);
            return;
        }
        stored.limit(storedBytes);
        checksum(raw);
        crc.update(stored.duplicate());
        fill(type, WireFormat.CODEC_LZ4, id, offset, raw.remaining(), stored);
    }

    /** Pages with the list of their places before them. */
    void scattered(Frame.ScatteredPages pages, CompressionGauge gauge) {
        ByteBuffer buffer = joined;
        if (buffer == null) {
            buffer = ByteBuffer.allocate(WireFormat.MAX_PAYLOAD_BYTES);
            joined = buffer;
        }
        buffer.clear();
        for (Frame.Place place : pages.places()) {
            buffer.putLong(place.address()).putInt(place.bytes());
        }
        buffer.put(pages.data().duplicate()).flip();
        data(FrameType.SCATTERED_PAGES, pages.pid(), pages.places().size(), buffer, gauge);
    }

    /** Two writes: an SSH channel's stream joins them into its own packets. */
    void writeTo(OutputStream out, int sequence) throws IOException {
        draft.withSequence(sequence).encode(header, crc);
        out.write(header.array(), 0, WireFormat.HEADER_BYTES);
        if (payload.hasRemaining()) {
            ByteBuffer bytes = payload.hasArray() ? payload : copied(payload);
            out.write(bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining());
        }
    }

    /** Lets go of the caller's memory; to be called before the frame waits to be used again. */
    void release() {
        payload = NOTHING;
    }

    private void checksum(ByteBuffer raw) {
        crc.reset();
        crc.update(raw.duplicate());
    }

    private void fill(
            FrameType type, int codec, int id, long offset, int rawBytes, ByteBuffer payload) {
        this.payload = payload;
        this.draft =
                new FrameHeader(
                        type,
                        codec,
                        0,
                        payload.remaining(),
                        rawBytes,
                        id,
                        offset,
                        (int) crc.getValue());
    }

    /** SSH streams take arrays only: memory outside the heap costs one copy. */
    private ByteBuffer copied(ByteBuffer outside) {
        ByteBuffer copy = scratch();
        return copy.put(outside.duplicate()).flip();
    }

    private ByteBuffer scratch() {
        ByteBuffer buffer = scratch;
        if (buffer == null) {
            buffer = ByteBuffer.allocate(Lz4Block.maxStoredBytes(WireFormat.MAX_PAYLOAD_BYTES));
            scratch = buffer;
        }
        return buffer.clear();
    }
}
