package io.migrator.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;

import org.junit.jupiter.api.Timeout;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Whatever frames are written, the same are read. */
class FrameRoundTripFuzzTest {
    private static final int MOST_FRAMES = 40;
    private static final int MOST_BYTES = 1 << 17;
    private static final int MOST_PAGES = 32;
    private static final int MOST_PLACES = 20;
    private static final String NAME_CHARACTERS =
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

    @Timeout(60)
    @FuzzTest
    void whatIsWrittenIsRead(FuzzedDataProvider data) throws IOException {
        Compression compression = data.pickValue(Compression.values());
        List<Frame> frames = frames(data);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        FrameWriter writer = new FrameWriter(out, compression);
        List<String> written = new ArrayList<>();
        for (Frame frame : frames) {
            written.add(SampleStream.text(frame));
            writer.write(frame);
        }
        FrameReader reader = new FrameReader(new ByteArrayInputStream(out.toByteArray()));
        assertEquals(written, SampleStream.read(reader));
        assertEquals(writer.rawBytes(), reader.rawBytes());
        assertEquals(out.size(), reader.receivedBytes());
        assertEquals(out.size(), writer.sentBytes());
    }

    private static List<Frame> frames(FuzzedDataProvider data) {
        List<Frame> frames = new ArrayList<>();
        Map<Integer, Long> open = new TreeMap<>();
        while (data.remainingBytes() > 0 && frames.size() < MOST_FRAMES) {
            frames.add(frame(data, open));
        }
        open.forEach((id, end) -> frames.add(new Frame.FileEnd(id, end)));
        frames.add(new Frame.End());
        return frames;
    }

    private static Frame frame(FuzzedDataProvider data, Map<Integer, Long> open) {
        int id = data.consumeInt();
        int pid = data.consumeInt(1, Integer.MAX_VALUE);
        switch (data.consumeInt(0, 7)) {
            case 0:
                return Frame.Control.of("c" + data.consumeString(200));
            case 1:
                return new Frame.Padding(bytes(data, data.consumeInt(1, MOST_BYTES)));
            case 2:
                int pages = data.consumeInt(1, MOST_PAGES);
                return new Frame.Pages(
                        pid, address(data, pages), bytes(data, pages * WireFormat.PAGE_BYTES));
            case 3:
                return scattered(data, pid);
            case 4:
                long many = data.consumeLong(1, 1L << 40);
                return new Frame.ZeroPages(pid, address(data, many), many * WireFormat.PAGE_BYTES);
            case 5:
                if (!open.isEmpty()) {
                    int ended = open.keySet().iterator().next();
                    return new Frame.FileEnd(
                            ended, data.consumeLong(open.remove(ended), Long.MAX_VALUE));
                }
                break;
            case 6:
                if (!open.isEmpty()) {
                    int written = open.keySet().iterator().next();
                    int length = data.consumeInt(1, MOST_BYTES);
                    long offset = data.consumeLong(0, Long.MAX_VALUE - length);
                    open.merge(written, offset + length, Math::max);
                    return new Frame.FileData(written, offset, bytes(data, length));
                }
                break;
            default:
                break;
        }
        if (open.putIfAbsent(id, 0L) == null) {
            return new Frame.FileOpen(id, name(data));
        }
        return Frame.Control.of("{}");
    }

    private static Frame scattered(FuzzedDataProvider data, int pid) {
        List<Frame.Place> places = new ArrayList<>();
        int count = data.consumeInt(2, MOST_PLACES);
        int all = 0;
        for (int each = 0; each < count; each++) {
            int pages = data.consumeInt(1, 3);
            all += pages;
            places.add(new Frame.Place(address(data, pages), pages * WireFormat.PAGE_BYTES));
        }
        return new Frame.ScatteredPages(pid, places, bytes(data, all * WireFormat.PAGE_BYTES));
    }

    private static long address(FuzzedDataProvider data, long pages) {
        long behind = WireFormat.MAX_ADDRESS / WireFormat.PAGE_BYTES - pages;
        return data.consumeLong(0, behind) * WireFormat.PAGE_BYTES;
    }

    private static String name(FuzzedDataProvider data) {
        StringBuilder name = new StringBuilder("n");
        for (byte each : data.consumeBytes(WireFormat.MAX_NAME_BYTES - 1)) {
            name.append(NAME_CHARACTERS.charAt(Math.floorMod(each, NAME_CHARACTERS.length())));
        }
        return name.toString();
    }

    /** Of an array or of memory outside the heap: some bytes, again and again. */
    private static ByteBuffer bytes(FuzzedDataProvider data, int length) {
        boolean outside = data.consumeBoolean();
        byte[] some = data.consumeBytes(data.consumeInt(0, 300));
        ByteBuffer all = outside ? ByteBuffer.allocateDirect(length) : ByteBuffer.allocate(length);
        while (some.length > 0 && all.hasRemaining()) {
            all.put(some, 0, Math.min(some.length, all.remaining()));
        }
        return all.clear();
    }
}
