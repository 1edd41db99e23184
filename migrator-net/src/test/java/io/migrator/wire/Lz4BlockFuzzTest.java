package io.migrator.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;

import net.jpountz.lz4.LZ4Exception;
import net.jpountz.lz4.LZ4Factory;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.stream.Stream;

/**
 * Any bytes are an LZ4 block of that length or are not; nothing is written behind it. An input is
 * the length (3 bytes) and the block.
 */
class Lz4BlockFuzzTest {
    private static final int LENGTH_BYTES = 3;
    private static final int GUARD_BYTES = 64;
    private static final byte GUARD = 0x5a;

    static Stream<byte[]> seeds() {
        return Stream.of(SampleStream.repetitive(5000), SampleStream.random(100))
                .map(raw -> {
                    ByteBuffer stored =
                            ByteBuffer.allocate(Lz4Block.maxStoredBytes(raw.remaining()));
                    int bytes = Lz4Block.compress(raw, stored);
                    return ByteBuffer.allocate(LENGTH_BYTES + bytes)
                            .put((byte) 0)
                            .putShort((short) raw.remaining())
                            .put(stored.limit(bytes))
                            .array();
                });
    }

    @MethodSource("seeds")
    @Timeout(60)
    @FuzzTest
    void blocksAreUnpackedOrRefused(byte[] input) {
        if (input.length < LENGTH_BYTES) {
            return;
        }
        ByteBuffer in = ByteBuffer.wrap(input);
        int length = (in.get() & 0x0f) << Short.SIZE | Short.toUnsignedInt(in.getShort());
        byte[] block = Arrays.copyOfRange(input, LENGTH_BYTES, input.length);
        byte[] onHeap = unpacked(block, ByteBuffer.allocate(length + GUARD_BYTES), length);
        byte[] outside = unpacked(block, ByteBuffer.allocateDirect(length + GUARD_BYTES), length);
        assertTrue(Arrays.equals(onHeap, outside), "of an array and of memory outside the heap");
        byte[] other = byAnother(block, length);
        if (onHeap != null && other != null) {
            assertTrue(Arrays.equals(onHeap, other), "of two decompressors");
        }
        roundTrip(block);
    }

    /** Null if it is refused. */
    private static byte[] unpacked(byte[] block, ByteBuffer raw, int length) {
        for (int at = length; at < raw.capacity(); at++) {
            raw.put(at, GUARD);
        }
        ByteBuffer stored =
                raw.isDirect()
                        ? ByteBuffer.allocateDirect(block.length).put(block).flip()
                        : ByteBuffer.wrap(block);
        boolean done = Lz4Block.decompress(stored, block.length, raw, length);
        for (int at = length; at < raw.capacity(); at++) {
            assertEquals(GUARD, raw.get(at), "behind the block");
        }
        byte[] found = new byte[length];
        raw.get(0, found);
        return done ? found : null;
    }

    private static byte[] byAnother(byte[] block, int length) {
        byte[] raw = new byte[length];
        try {
            int found =
                    LZ4Factory.safeInstance()
                            .safeDecompressor()
                            .decompress(block, 0, block.length, raw, 0, length);
            return found == length ? raw : null;
        } catch (LZ4Exception e) {
            return null;
        }
    }

    private static void roundTrip(byte[] bytes) {
        ByteBuffer stored = ByteBuffer.allocate(Lz4Block.maxStoredBytes(bytes.length));
        int storedBytes = Lz4Block.compress(ByteBuffer.wrap(bytes), stored);
        ByteBuffer raw = ByteBuffer.allocate(bytes.length);
        assertTrue(Lz4Block.decompress(stored, storedBytes, raw, bytes.length));
        assertTrue(Arrays.equals(bytes, raw.array()));
    }
}
