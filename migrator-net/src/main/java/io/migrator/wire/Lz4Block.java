package io.migrator.wire;

import net.jpountz.lz4.LZ4Compressor;
import net.jpountz.lz4.LZ4Exception;
import net.jpountz.lz4.LZ4Factory;
import net.jpountz.lz4.LZ4SafeDecompressor;

import java.nio.ByteBuffer;

/**
 * Bare LZ4 blocks: no frame, no length, no checksum of their own, since the frame around them has
 * all three. Only the bounds-checking decompressor is used: the input is a peer's.
 */
final class Lz4Block {

    private static final LZ4Factory FACTORY = factory();
    private static final LZ4Compressor COMPRESSOR = FACTORY.fastCompressor();
    private static final LZ4SafeDecompressor DECOMPRESSOR = FACTORY.safeDecompressor();

    private Lz4Block() {}

    /** Most bytes that so many raw bytes can become. */
    static int maxStoredBytes(int rawBytes) {
        return COMPRESSOR.maxCompressedLength(rawBytes);
    }

    /**
     * Compresses what remains in {@code raw} to the start of {@code stored}; positions and limits
     * stay.
     *
     * @return the number of stored bytes
     */
    static int compress(ByteBuffer raw, ByteBuffer stored) {
        return COMPRESSOR.compress(
                raw, raw.position(), raw.remaining(), stored, 0, stored.capacity());
    }

    /**
     * Decompresses the first bytes of one buffer to the start of another; positions stay.
     *
     * @return false if the input is not an LZ4 block of exactly {@code rawBytes} bytes
     */
    static boolean decompress(ByteBuffer stored, int storedBytes, ByteBuffer raw, int rawBytes) {
        try {
            return DECOMPRESSOR.decompress(stored, 0, storedBytes, raw, 0, rawBytes) == rawBytes;
        } catch (LZ4Exception _) {
            return false;
        }
    }

    /** The native library, and where it cannot be loaded plain Java at 0.4x the speed. */
    private static LZ4Factory factory() {
        try {
            return LZ4Factory.nativeInstance();
        } catch (LinkageError | UnsupportedOperationException _) {
            return LZ4Factory.safeInstance();
        }
    }
}
