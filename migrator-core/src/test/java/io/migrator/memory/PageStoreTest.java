package io.migrator.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.problem.Problem;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

class PageStoreTest {
    private static final int PAGE = PageSet.PAGE_BYTES;
    private static final long HIGH = 0x7ffd_0000_0000L;

    @TempDir(factory = InMemory.class)
    private Path directory;

    private static ByteBuffer pages(int... contents) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(contents.length * PAGE);
        for (int content : contents) {
            for (int i = 0; i < PAGE; i++) {
                bytes.put((byte) content);
            }
        }
        return bytes.flip();
    }

    /** What the store gives, page by page. */
    private static Map<String, Integer> given(PageStore store, JobPages wanted)
            throws IOException, Problem, InterruptedException {
        Map<String, Integer> found = new ConcurrentHashMap<>();
        store.forEach(
                wanted,
                (pid, address, bytes) -> {
                    assertTrue(bytes.isDirect());
                    for (int at = 0; at < bytes.limit(); at += PAGE) {
                        assertEquals(bytes.get(at), bytes.get(at + PAGE - 1));
                        int before =
                                found.merge(
                                        "%d %x".formatted(pid, address + at),
                                        (int) bytes.get(at),
                                        (_, _) -> -1);
                        assertTrue(before >= 0, "given twice");
                    }
                });
        return found;
    }

    @Test
    void theNewestOfWhatIsWantedIsGiven() throws Exception {
        try (PageStore store = new PageStore(directory)) {
            store.put(26, HIGH, pages(1, 2, 3));
            store.put(27, HIGH, pages(4));
            store.put(26, HIGH + PAGE, pages(5));
            store.put(26, 0x1000, pages(6));
            JobPages wanted = new JobPages();
            wanted.add(26, HIGH + PAGE, HIGH + 4L * PAGE);
            wanted.add(26, 0x1000, 0x2000);
            wanted.add(28, 0x1000, 0x2000);
            assertEquals(
                    Map.of("26 7ffd00001000", 5, "26 7ffd00002000", 3, "26 1000", 6),
                    given(store, wanted));
        }
    }

    @Test
    void moreThanABlockIsGivenInParts() throws Exception {
        int[] contents = new int[700];
        for (int i = 0; i < contents.length; i++) {
            contents[i] = i % 100;
        }
        try (PageStore store = new PageStore(directory)) {
            store.put(1, HIGH, pages(contents));
            JobPages wanted = new JobPages();
            wanted.add(1, HIGH, HIGH + (long) contents.length * PAGE);
            Map<String, Integer> found = given(store, wanted);
            assertEquals(contents.length, found.size());
            for (int i = 0; i < contents.length; i++) {
                assertEquals(contents[i], found.get("1 %x".formatted(HIGH + (long) i * PAGE)));
            }
        }
    }
}
