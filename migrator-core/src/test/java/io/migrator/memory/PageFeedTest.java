package io.migrator.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.migrator.linux.PidFd;

import org.junit.jupiter.api.Test;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** With this JVM's own memory. */
class PageFeedTest {
    private static final int PAGE = PageSet.PAGE_BYTES;

    private final List<String> sent = new ArrayList<>();
    private long base;

    private class Names implements PageSink {
        @Override
        public void pages(int pid, List<PageRange> places, ByteBuffer bytes) {
            int from = 0;
            for (PageRange each : places) {
                for (long at = each.start(); at < each.end(); at += PAGE, from += PAGE) {
                    sent.add("%d: %d".formatted((at - base) / PAGE, bytes.get(from)));
                }
            }
            assertEquals(bytes.remaining(), from);
        }

        @Override
        public void zeros(int pid, PageRange place) {
            sent.add(
                    "%d to %d: zeros"
                            .formatted((place.start() - base) / PAGE, (place.end() - base) / PAGE));
        }
    }

    private PageRange pages(int from, int to) {
        return new PageRange(base + (long) from * PAGE, base + (long) to * PAGE);
    }

    /** Of what is not sent the rest moves up, and all of it is told as it was. */
    @Test
    void manyZerosAreToldAndTheRestIsSent() throws Exception {
        ByteBuffer memory = ByteBuffer.allocateDirect(100 * PAGE).alignedSlice(PAGE);
        for (int page : new int[] {20, 21, 60, 61, 62, 90}) {
            memory.put(page * PAGE, (byte) page);
        }
        base = MemorySegment.ofBuffer(memory).address();
        List<PageRange> batch =
                List.of(pages(0, 20), pages(20, 22), pages(30, 46), pages(47, 48), pages(60, 63));
        List<Integer> told = new ArrayList<>();
        try (PageFeed feed = new PageFeed(new Names(), _ -> {});
                PidFd self = PidFd.open(ProcessHandle.current().pid())) {
            feed.send(
                    1,
                    self,
                    batch,
                    (places, bytes) -> {
                        for (int at = 0; at < 42 * PAGE; at += PAGE) {
                            told.add((int) bytes.get(at));
                        }
                    });
        }
        List<Integer> whole = new ArrayList<>(Collections.nCopies(42, 0));
        whole.set(20, 20);
        whole.set(21, 21);
        whole.set(39, 60);
        whole.set(40, 61);
        whole.set(41, 62);
        assertEquals(whole, told);
        assertEquals(
                List.of(
                        "0 to 20: zeros",
                        "30 to 46: zeros",
                        "20: 20",
                        "21: 21",
                        "47: 0",
                        "60: 60",
                        "61: 61",
                        "62: 62"),
                sent);
    }
}
