package io.migrator.wire;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** The eight bytes before the first frame. */
final class Preamble {

    private Preamble() {}

    static byte[] bytes(StreamKind kind) {
        return ByteBuffer.allocate(WireFormat.PREAMBLE_BYTES)
                .putInt(kind.magic())
                .putShort((short) kind.version())
                .putShort((short) 0)
                .array();
    }

    static void read(WireSource source, StreamKind kind) throws IOException {
        ByteBuffer preamble = source.allocate(WireFormat.PREAMBLE_BYTES);
        int got = source.fill(preamble);
        preamble.flip();
        if (kind == StreamKind.ARCHIVE) {
            orArchive(preamble);
        } else {
            orWire(preamble, got);
        }
        if (preamble.getShort(6) != 0) {
            throw new MalformedStreamException("preamble with unknown flags", 0);
        }
    }

    private static void orArchive(ByteBuffer preamble) throws MalformedStreamException {
        boolean whole = preamble.remaining() == WireFormat.PREAMBLE_BYTES;
        if (!whole || preamble.getInt(0) != StreamKind.ARCHIVE.magic()) {
            throw new MalformedStreamException("it does not begin with MIGA as an archive does", 0);
        }
        int version = Short.toUnsignedInt(preamble.getShort(4));
        if (version != StreamKind.ARCHIVE.version()) {
            throw new MalformedStreamException(
                    "an archive of format %d, and format %d is known"
                            .formatted(version, StreamKind.ARCHIVE.version()),
                    0);
        }
    }

    private static void orWire(ByteBuffer preamble, int got) throws MalformedStreamException {
        if (got == 0) {
            throw new MalformedStreamException("the peer closed the stream at once", 0);
        }
        if (got < WireFormat.PREAMBLE_BYTES) {
            throw new MalformedStreamException(
                    "the stream stopped inside its preamble" + quoted(preamble), got);
        }
        if (preamble.getInt(0) != WireFormat.MAGIC) {
            throw new MalformedStreamException(
                    "the stream does not begin with MIGR" + quoted(preamble), 0);
        }
        int version = Short.toUnsignedInt(preamble.getShort(4));
        if (version != WireFormat.PROTOCOL_VERSION) {
            throw new MalformedStreamException(
                    "this side speaks protocol %d, the peer speaks %d"
                            .formatted(WireFormat.PROTOCOL_VERSION, version),
                    0);
        }
    }

    /** Text here usually comes from a login script, so show it; control characters as dots. */
    private static String quoted(ByteBuffer preamble) {
        String text = StandardCharsets.US_ASCII.decode(preamble.duplicate()).toString();
        return " but with '"
                + text.replaceAll("[^\\x20-\\x7e]", ".")
                + "' (does a login script on the far node print something?)";
    }
}
