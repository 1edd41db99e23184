package io.migrator.ssh;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;

/**
 * Bytes from a JSch thread to one of ours. Unlike java.io's pipe, which JSch would use, it does not
 * break when the thread that read last has ended, and wakes its reader at once.
 */
final class BytePipe {

    private static final int CAPACITY_BYTES = 256 << 10;

    private final byte[] ring = new byte[CAPACITY_BYTES];
    private int start;
    private int held;
    private boolean sourceClosed;
    private boolean sinkClosed;
    private @Nullable IOException failure;

    /** The end JSch writes to; blocks while the pipe is full. */
    OutputStream source() {
        return new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                write(new byte[] {(byte) b}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                try {
                    put(bytes, offset, length);
                } catch (InterruptedException _) {
                    throw interrupted();
                }
            }

            @Override
            public void close() {
                closeSource();
            }
        };
    }

    /** The end we read from. */
    InputStream sink() {
        return new InputStream() {
            private final byte[] one = new byte[1];

            @Override
            public int read() throws IOException {
                return read(one, 0, 1) < 0 ? -1 : Byte.toUnsignedInt(one[0]);
            }

            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
                if (length == 0) {
                    return 0;
                }
                try {
                    return take(bytes, offset, length);
                } catch (InterruptedException _) {
                    throw interrupted();
                }
            }

            @Override
            public int available() {
                return held();
            }

            @Override
            public void close() {
                closeSink();
            }
        };
    }

    /** Makes the reader fail, after what is held, instead of seeing the end. */
    synchronized void fail(IOException cause) {
        failure = cause;
        sourceClosed = true;
        notifyAll();
    }

    private synchronized void put(byte[] bytes, int offset, int length)
            throws InterruptedException {
        int done = 0;
        while (done < length) {
            while (held == CAPACITY_BYTES && !sinkClosed) {
                wait();
            }
            if (sinkClosed) {
                return; // nobody wants it: JSch must go on serving the other channels
            }
            int end = (start + held) % CAPACITY_BYTES;
            int room = Math.min(CAPACITY_BYTES - held, CAPACITY_BYTES - end);
            int part = Math.min(length - done, room);
            System.arraycopy(bytes, offset + done, ring, end, part);
            held += part;
            done += part;
            notifyAll();
        }
    }

    private synchronized int take(byte[] bytes, int offset, int length)
            throws IOException, InterruptedException {
        while (held == 0 && !sourceClosed && !sinkClosed) {
            wait();
        }
        if (held == 0 || sinkClosed) {
            if (failure != null) {
                throw new IOException(failure.getMessage(), failure);
            }
            return -1;
        }
        int part = Math.min(length, Math.min(held, CAPACITY_BYTES - start));
        System.arraycopy(ring, start, bytes, offset, part);
        start = (start + part) % CAPACITY_BYTES;
        held -= part;
        notifyAll();
        return part;
    }

    private static InterruptedIOException interrupted() {
        Thread.currentThread().interrupt();
        return new InterruptedIOException("interrupted while waiting for the far node");
    }

    private synchronized int held() {
        return held;
    }

    private synchronized void closeSource() {
        sourceClosed = true;
        notifyAll();
    }

    private synchronized void closeSink() {
        sinkClosed = true;
        notifyAll();
    }
}
