package io.migrator.archive;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.security.MessageDigest;

/** A channel of which a digest is made as it is read. */
final class Digested implements ReadableByteChannel {
    private final ReadableByteChannel in;
    private final MessageDigest digest;

    Digested(ReadableByteChannel in, MessageDigest digest) {
        this.in = in;
        this.digest = digest;
    }

    /** Of what was read so far; the digest goes on. */
    MessageDigest soFar() {
        return copy(digest);
    }

    static MessageDigest copy(MessageDigest digest) {
        try {
            return (MessageDigest) digest.clone();
        } catch (CloneNotSupportedException e) {
            throw new AssertionError(e); // that of the JDK can be
        }
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        int from = into.position();
        int got = in.read(into);
        if (got > 0) {
            digest.update(into.duplicate().flip().position(from));
        }
        return got;
    }

    @Override
    public boolean isOpen() {
        return in.isOpen();
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
