package io.migrator.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;

import io.migrator.criu.MemoryMap;
import io.migrator.fuzz.Heap;
import io.migrator.fuzz.InMemory;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/** A list of pages comes from another node: it stands for no more memory than there is. */
class HiddenPagesFuzzTest {
    private static final int RECORD_BYTES = 24;
    private static final int PAGE_BYTES = 4096;
    private static final long SMALL_BYTES = 512 << 10;

    /** A page alone has a block of 2 MB for itself. */
    private static final int TIMES_OF_LIST = 60;

    /** A bit for each page, and what is taken to go through them. */
    private static final int PART_OF_PAGES = 2048;

    private static final long MOST_BYTES = 16L << 30;

    @TempDir(factory = InMemory.class)
    private static Path directory;

    @Timeout(60)
    @FuzzTest
    void pagesAreReadOrRefused(FuzzedDataProvider data) throws IOException {
        long most = data.consumeLong(0, MOST_BYTES);
        byte[] list = data.consumeBoolean() ? data.consumeRemainingAsBytes() : records(data);
        HiddenPages pages = HiddenPages.of(directory);
        Files.write(pages.file(), list);
        Heap.within(
                SMALL_BYTES + (long) TIMES_OF_LIST * list.length + most / PART_OF_PAGES,
                () -> {
                    try {
                        look(pages.all(most), most);
                    } catch (IOException e) {
                        // refused
                    }
                });
    }

    private static void look(JobPages found, long most) {
        assertTrue(found.bytes() >= 0 && found.bytes() <= most);
        for (int pid : found.pids()) {
            assertTrue(pid > 0);
            long behind = 0;
            for (PageRange each : found.of(pid).ranges()) {
                assertTrue(each.start() >= behind && each.end() <= MemoryMap.ADDRESSES);
                behind = each.end() + 1; // or they were one
            }
        }
        assertEquals(0, found.without(found).bytes());
    }

    private static byte[] records(FuzzedDataProvider data) {
        int count = Math.min(200, data.remainingBytes() / 8);
        ByteBuffer records =
                ByteBuffer.allocate(count * RECORD_BYTES).order(ByteOrder.nativeOrder());
        for (int each = 0; each < count; each++) {
            long start = data.consumeLong(0, MemoryMap.ADDRESSES / PAGE_BYTES) * PAGE_BYTES;
            long pages = data.consumeBoolean() ? data.consumeInt(0, 600) : data.consumeInt();
            records.putLong(data.consumeInt(0, 3))
                    .putLong(start)
                    .putLong(start + pages * PAGE_BYTES);
        }
        return records.array();
    }
}
