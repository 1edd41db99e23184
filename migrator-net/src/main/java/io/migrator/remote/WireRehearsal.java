package io.migrator.remote;

import io.migrator.network.NetworkLock;
import io.migrator.wire.Compression;
import io.migrator.wire.Frame;
import io.migrator.wire.FrameReader;
import io.migrator.wire.FrameWriter;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.util.List;

/** What crosses the wire while a job stands still, written and read by one process. */
final class WireRehearsal {
    private static final int FILES = 4;
    private static final int PAGE_BYTES = 4096;
    private static final int FILE_BYTES = 200;

    private static final List<NetworkLock.Pair> PAIRS =
            List.of(new NetworkLock.Pair("127.0.0.1", 1, "127.0.0.1", 2));

    private WireRehearsal() {}

    /** Writes and reads it once. */
    static void once() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        FrameWriter out = new FrameWriter(bytes, Compression.NONE);
        out.write(Envelope.of(Envelope.Kind.FROZEN, 1, null).toFrame());
        for (int id = 0; id < FILES; id++) {
            out.write(new Frame.FileOpen(id, "core-" + id + ".img"));
            out.write(new Frame.FileData(id, 0, ByteBuffer.allocateDirect(FILE_BYTES)));
            out.write(new Frame.FileEnd(id, FILE_BYTES));
        }
        ByteBuffer pages = ByteBuffer.allocateDirect(2 * PAGE_BYTES);
        out.write(new Frame.Pages(1, 0, pages));
        List<Frame.Place> places =
                List.of(new Frame.Place(0, PAGE_BYTES), new Frame.Place(PAGE_BYTES, PAGE_BYTES));
        out.write(new Frame.ScatteredPages(1, places, pages));
        out.write(Envelope.of(Envelope.Kind.RESTORE, 2, PAIRS).toFrame());
        out.write(Envelope.of(Envelope.Kind.LOAD, 3, (long) PAGE_BYTES).toFrame());
        out.write(Envelope.of(Envelope.Kind.OK, 3, null).toFrame());
        out.write(new Frame.End());
        read(new ByteArrayInputStream(bytes.toByteArray()));
    }

    private static void read(ByteArrayInputStream bytes) throws IOException {
        FrameReader in = new FrameReader(Channels.newChannel(bytes));
        Frame frame = in.next();
        while (!(frame instanceof Frame.End)) {
            if (frame instanceof Frame.Control control) {
                Envelope message = Envelope.parse(control);
                switch (message.kind()) {
                    case RESTORE -> message.list(NetworkLock.Pair.class);
                    case LOAD -> message.body(Long.class);
                    default -> {}
                }
            }
            frame = in.next();
        }
    }
}
