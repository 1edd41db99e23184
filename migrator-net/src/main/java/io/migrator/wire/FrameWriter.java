package io.migrator.wire;

import static io.migrator.wire.WireFormat.MAX_PAYLOAD_BYTES;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Writes one direction of a stream. Any number of threads may write; each frame goes out whole, and
 * the frames of one thread keep their order. Checksums and compression are done by the calling
 * thread before it waits for its turn, so several threads compress at the same time.
 *
 * <p>Blocks when the stream does. Memory: at most about 2 MiB for each thread that is writing,
 * whatever the stream's length. The stream is neither closed nor used by anyone else meanwhile.
 */
public final class FrameWriter {

    private final OutputStream out;
    private final CompressionGauge gauge;
    private final ConcurrentLinkedDeque<OutgoingFrame> spare = new ConcurrentLinkedDeque<>();

    /** Fair: a control message waits for the block being written, not for all blocks queued. */
    private final ReentrantLock turn = new ReentrantLock(true);

    private enum State {
        OPEN,
        ENDED,
        BROKEN
    }

    // All guarded by turn; the counters are also read without it.
    private State state = State.OPEN;
    private int nextSequence;
    private volatile long rawBytes;
    private volatile long sentBytes;

    /** Sends the preamble. */
    public FrameWriter(OutputStream out, Compression compression) throws IOException {
        this(out, compression, StreamKind.WIRE);
    }

    /** The same for a stream of that kind. */
    public FrameWriter(OutputStream out, Compression compression, StreamKind kind)
            throws IOException {
        this.out = out;
        this.gauge = new CompressionGauge(compression);
        out.write(Preamble.bytes(kind));
        out.flush();
        sentBytes = WireFormat.PREAMBLE_BYTES;
    }

    /**
     * Writes a frame; its buffer may be used again when this returns. File data of more than 1 MiB
     * becomes several frames. Only control messages and the end are flushed: all else may lie in
     * the stream's own buffer until then.
     *
     * @throws IllegalStateException after {@link Frame.End}
     * @throws IOException if the stream failed, now or in an earlier call; it is of no use after
     */
    public void write(Frame frame) throws IOException {
        switch (frame) {
            case Frame.Control(ByteBuffer json) -> sendBytes(FrameType.CONTROL, 0, json);
            case Frame.FileOpen(int id, String name) ->
                    sendBytes(FrameType.FILE_OPEN, id, ascii(name));
            case Frame.FileData(int id, long offset, ByteBuffer data) ->
                    sendData(FrameType.FILE_DATA, id, offset, data);
            case Frame.Padding(ByteBuffer data) -> sendBytes(FrameType.PADDING, 0, data);
            case Frame.Pages(int pid, long address, ByteBuffer data) ->
                    sendData(FrameType.PAGES, pid, address, data);
            case Frame.ScatteredPages pages -> sendScattered(pages);
            case Frame.ZeroPages(int pid, long address, long bytes) ->
                    sendBytes(
                            FrameType.ZERO_PAGES,
                            pid,
                            address,
                            ByteBuffer.allocate(Long.BYTES).putLong(bytes).flip());
            case Frame.FileEnd(int id, long length) -> sendNumber(FrameType.FILE_END, id, length);
            case Frame.End() -> sendNumber(FrameType.END, 0, 0);
        }
    }

    /** Pushes out what the stream below still holds. */
    public void flush() throws IOException {
        turn.lock();
        try {
            out.flush();
        } finally {
            turn.unlock();
        }
    }

    /** Bytes of payloads so far, before compression. */
    public long rawBytes() {
        return rawBytes;
    }

    /** Bytes given to the stream so far, headers included. */
    public long sentBytes() {
        return sentBytes;
    }

    private static ByteBuffer ascii(String name) {
        return ByteBuffer.wrap(name.getBytes(StandardCharsets.US_ASCII));
    }

    private void sendBytes(FrameType type, int id, ByteBuffer bytes) throws IOException {
        sendBytes(type, id, 0, bytes);
    }

    private void sendBytes(FrameType type, int id, long offset, ByteBuffer bytes)
            throws IOException {
        if (bytes.remaining() < 1 || bytes.remaining() > MAX_PAYLOAD_BYTES) {
            throw new IllegalArgumentException(type + " of " + bytes.remaining() + " bytes");
        }
        OutgoingFrame frame = take();
        frame.plain(type, id, offset, bytes);
        send(frame);
    }

    private void sendNumber(FrameType type, int id, long number) throws IOException {
        if (number < 0) {
            throw new IllegalArgumentException(type + " with " + number);
        }
        OutgoingFrame frame = take();
        frame.empty(type, id, number);
        send(frame);
    }

    private void sendData(FrameType type, int id, long offset, ByteBuffer data) throws IOException {
        if (offset < 0 || offset > Long.MAX_VALUE - data.remaining()) {
            throw new IllegalArgumentException("file data at offset " + offset);
        }
        int sent = 0;
        while (sent < data.remaining()) {
            int length = Math.min(MAX_PAYLOAD_BYTES, data.remaining() - sent);
            OutgoingFrame frame = take();
            frame.data(type, id, offset + sent, data.slice(data.position() + sent, length), gauge);
            send(frame);
            sent += length;
        }
    }

    private void sendScattered(Frame.ScatteredPages pages) throws IOException {
        int count = pages.places().size();
        long bytes = pages.data().remaining() + (long) count * WireFormat.PLACE_BYTES;
        if (count < 2 || count > WireFormat.MAX_PLACES || bytes > MAX_PAYLOAD_BYTES) {
            throw new IllegalArgumentException(bytes + " bytes for " + count + " places");
        }
        OutgoingFrame frame = take();
        frame.scattered(pages, gauge);
        send(frame);
    }

    private OutgoingFrame take() {
        OutgoingFrame frame = spare.pollFirst();
        return frame == null ? new OutgoingFrame() : frame;
    }

    private void send(OutgoingFrame frame) throws IOException {
        turn.lock();
        try {
            requireOpen();
            if (nextSequence == -1) {
                throw new IOException("the stream has no sequence numbers left");
            }
            state = State.BROKEN; // until the whole frame is out
            frame.writeTo(out, nextSequence);
            nextSequence++;
            rawBytes += frame.rawBytes();
            sentBytes += WireFormat.HEADER_BYTES + frame.storedBytes();
            if (frame.type().isUrgent()) {
                out.flush();
            }
            state = frame.type() == FrameType.END ? State.ENDED : State.OPEN;
        } finally {
            turn.unlock();
            frame.release();
            spare.offerFirst(frame);
        }
    }

    private void requireOpen() throws IOException {
        switch (state) {
            case OPEN -> {}
            case ENDED -> throw new IllegalStateException("the stream was ended");
            case BROKEN -> throw new IOException("the stream failed earlier");
        }
    }
}
