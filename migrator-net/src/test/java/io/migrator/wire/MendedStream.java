package io.migrator.wire;

import java.nio.ByteBuffer;

/**
 * Any bytes with that put right which says whether the rest is: without it nothing that a fuzzer
 * makes would get behind the checksums.
 */
public final class MendedStream {
    private static final int PREAMBLE = 1;
    private static final int KINDS = 1 << 1;
    private static final int NUMBERS = 1 << 2;
    private static final int LENGTHS = 1 << 3;
    private static final int PAYLOADS = 1 << 4;
    private static final int HEADERS = 1 << 5;

    /** All that can be put right. */
    public static final int ALL = (1 << 6) - 1;

    /** Both buffers of a reader, and the small ones. */
    public static final long BUFFERS = 2L * WireFormat.MAX_PAYLOAD_BYTES + (64 << 10);

    private MendedStream() {}

    /**
     * Puts it right.
     *
     * @param flags what of it; their numbers are in the names of inputs that are kept
     * @return the same array
     */
    public static byte[] of(byte[] stream, int flags, StreamKind kind) {
        if ((flags & PREAMBLE) != 0) {
            int bytes = Math.min(stream.length, WireFormat.PREAMBLE_BYTES);
            System.arraycopy(Preamble.bytes(kind), 0, stream, 0, bytes);
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
        if ((flags & KINDS) != 0 && FrameType.ofCode(frame.get(WireFormat.TYPE_AT)).isEmpty()) {
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
