package io.migrator.wire;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;

/** Where a reader's bytes come from, and how many came. Owns nothing, closes nothing. */
abstract sealed class WireSource {

    private volatile long offset;

    static WireSource of(InputStream in) {
        return new StreamSource(in);
    }

    static WireSource of(ReadableByteChannel in) {
        return new ChannelSource(in);
    }

    /** A buffer of the kind this source fills without a copy. */
    abstract ByteBuffer allocate(int bytes);

    /** Reads once into the free part of the buffer: bytes read, or -1 at the end. */
    abstract int readSome(ByteBuffer into) throws IOException;

    /** Bytes read so far. */
    final long offset() {
        return offset;
    }

    /**
     * Reads until the buffer's limit or the end of the stream.
     *
     * @return bytes read; fewer than were free only at the end
     */
    final int fill(ByteBuffer into) throws IOException {
        int start = into.position();
        while (into.hasRemaining()) {
            int read = readSome(into);
            if (read < 0) {
                break;
            }
            offset += read;
        }
        return into.position() - start;
    }

    private static final class StreamSource extends WireSource {
        private final InputStream in;

        StreamSource(InputStream in) {
            this.in = in;
        }

        @Override
        ByteBuffer allocate(int bytes) {
            return ByteBuffer.allocate(bytes);
        }

        @Override
        int readSome(ByteBuffer into) throws IOException {
            int read = in.read(into.array(), into.position(), into.remaining());
            if (read > 0) {
                into.position(into.position() + read);
            }
            return read;
        }
    }

    private static final class ChannelSource extends WireSource {
        private final ReadableByteChannel in;

        ChannelSource(ReadableByteChannel in) {
            this.in = in;
        }

        @Override
        ByteBuffer allocate(int bytes) {
            return ByteBuffer.allocateDirect(bytes);
        }

        @Override
        int readSome(ByteBuffer into) throws IOException {
            return in.read(into);
        }
    }
}
