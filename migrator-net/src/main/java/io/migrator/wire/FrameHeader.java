package io.migrator.wire;

import static io.migrator.wire.WireFormat.HEADER_BYTES;
import static io.migrator.wire.WireFormat.MAX_PAYLOAD_BYTES;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * The fixed part of a frame, already checked as far as one header alone can be.
 *
 * @param codec {@link WireFormat#CODEC_NONE} or {@link WireFormat#CODEC_LZ4}
 * @param sequence of this frame in its direction, unsigned, from 0
 * @param storedBytes of the payload on the wire, 0 to 1 MiB
 * @param rawBytes of the payload as its writer had it, 0 to 1 MiB
 * @param fileId of pages the pid; zero where the type has no file
 * @param offset of the data in its file; of PAGES and ZERO_PAGES the address; of SCATTERED_PAGES
 *     how many places; of FILE_END the file's length; else zero
 * @param payloadChecksum CRC32C of the raw bytes and, with a codec, of the stored bytes after them
 */
record FrameHeader(
        FrameType type,
        int codec,
        int sequence,
        int storedBytes,
        int rawBytes,
        int fileId,
        long offset,
        int payloadChecksum) {

    FrameHeader withSequence(int number) {
        return new FrameHeader(
                type, codec, number, storedBytes, rawBytes, fileId, offset, payloadChecksum);
    }

    /** Writes the header to the start of the buffer, checksum included. */
    void encode(ByteBuffer to, CRC32C crc) {
        to.put(WireFormat.TYPE_AT, (byte) type.code());
        to.put(WireFormat.CODEC_AT, (byte) codec);
        to.putShort(WireFormat.RESERVED_AT, (short) 0);
        to.putInt(WireFormat.SEQUENCE_AT, sequence);
        to.putInt(WireFormat.STORED_BYTES_AT, storedBytes);
        to.putInt(WireFormat.RAW_BYTES_AT, rawBytes);
        to.putInt(WireFormat.FILE_ID_AT, fileId);
        to.putLong(WireFormat.OFFSET_AT, offset);
        to.putInt(WireFormat.PAYLOAD_CHECKSUM_AT, payloadChecksum);
        to.putInt(WireFormat.HEADER_CHECKSUM_AT, checksum(to, crc));
    }

    /**
     * Reads a header from the start of the buffer.
     *
     * @param at where the header begins in the stream, for the error text
     */
    static FrameHeader decode(ByteBuffer from, CRC32C crc, long at)
            throws MalformedStreamException {
        if (from.getInt(WireFormat.HEADER_CHECKSUM_AT) != checksum(from, crc)) {
            throw new MalformedStreamException("damaged frame header: checksum differs", at);
        }
        int code = Byte.toUnsignedInt(from.get(WireFormat.TYPE_AT));
        FrameType type =
                FrameType.ofCode(code)
                        .orElseThrow(() ->
                                new MalformedStreamException("unknown frame type " + code, at));
        if (from.getShort(WireFormat.RESERVED_AT) != 0) {
            throw new MalformedStreamException("reserved header field is not zero", at);
        }
        FrameHeader header =
                new FrameHeader(
                        type,
                        Byte.toUnsignedInt(from.get(WireFormat.CODEC_AT)),
                        from.getInt(WireFormat.SEQUENCE_AT),
                        boundedBytes("stored", from.getInt(WireFormat.STORED_BYTES_AT), at),
                        boundedBytes("raw", from.getInt(WireFormat.RAW_BYTES_AT), at),
                        from.getInt(WireFormat.FILE_ID_AT),
                        from.getLong(WireFormat.OFFSET_AT),
                        from.getInt(WireFormat.PAYLOAD_CHECKSUM_AT));
        header.checkCodec(at);
        header.checkShape(at);
        return header;
    }

    private static int checksum(ByteBuffer header, CRC32C crc) {
        crc.reset();
        crc.update(header.slice(0, WireFormat.HEADER_CHECKSUM_AT));
        return (int) crc.getValue();
    }

    private static int boundedBytes(String which, int bytes, long at)
            throws MalformedStreamException {
        if (Integer.compareUnsigned(bytes, MAX_PAYLOAD_BYTES) > 0) {
            throw new MalformedStreamException(
                    "payload of %s %s bytes is over the bound of %d"
                            .formatted(Integer.toUnsignedString(bytes), which, MAX_PAYLOAD_BYTES),
                    at);
        }
        return bytes;
    }

    private void checkCodec(long at) throws MalformedStreamException {
        boolean fits =
                switch (codec) {
                    case WireFormat.CODEC_NONE -> storedBytes == rawBytes;
                    case WireFormat.CODEC_LZ4 ->
                            type.isCompressible() && storedBytes > 0 && storedBytes < rawBytes;
                    default -> throw new MalformedStreamException("unknown codec " + codec, at);
                };
        if (!fits) {
            throw new MalformedStreamException(
                    "%s of %d raw bytes cannot be stored in %d by codec %d"
                            .formatted(type, rawBytes, storedBytes, codec),
                    at);
        }
    }

    /** Each field that a type does not use must be zero, so that no bit is without meaning. */
    private void checkShape(long at) throws MalformedStreamException {
        boolean fits =
                switch (type) {
                    case CONTROL, PADDING -> rawBytes > 0 && fileId == 0 && offset == 0;
                    case FILE_OPEN ->
                            rawBytes > 0 && rawBytes <= WireFormat.MAX_NAME_BYTES && offset == 0;
                    case FILE_DATA ->
                            rawBytes > 0 && offset >= 0 && offset <= Long.MAX_VALUE - rawBytes;
                    case PAGES ->
                            rawBytes > 0
                                    && rawBytes % WireFormat.PAGE_BYTES == 0
                                    && fileId > 0
                                    && offset >= 0
                                    && offset <= WireFormat.MAX_ADDRESS - rawBytes
                                    && offset % WireFormat.PAGE_BYTES == 0;
                    case SCATTERED_PAGES ->
                            offset >= 2
                                    && offset <= WireFormat.MAX_PLACES
                                    && pageBytes() >= offset * WireFormat.PAGE_BYTES
                                    && pageBytes() % WireFormat.PAGE_BYTES == 0
                                    && fileId > 0;
                    case ZERO_PAGES ->
                            rawBytes == Long.BYTES
                                    && fileId > 0
                                    && offset >= 0
                                    && offset <= WireFormat.MAX_ADDRESS
                                    && offset % WireFormat.PAGE_BYTES == 0;
                    case FILE_END -> rawBytes == 0 && offset >= 0;
                    case END -> rawBytes == 0 && fileId == 0 && offset == 0;
                };
        if (!fits) {
            throw new MalformedStreamException(
                    "%s cannot have %d bytes, file %d, offset %d"
                            .formatted(type, rawBytes, fileId, offset),
                    at);
        }
    }

    /** Of scattered pages, without the list of their places. */
    private long pageBytes() {
        return rawBytes - offset * WireFormat.PLACE_BYTES;
    }

    /** A buffer for one header. */
    static ByteBuffer buffer() {
        return ByteBuffer.allocate(HEADER_BYTES);
    }
}
