package io.migrator.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import io.migrator.linux.PageScan.Kind;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

class PageScanTest {
    private static final long PAGE = 4096;
    private static final int PAGES = 1500;

    @TempDir private Path directory;

    /** More ranges than the kernel tells of at once (512), in one piece. */
    @Test
    void everyRangeOnceAndInOrder() throws Exception {
        try (Arena arena = Arena.ofConfined();
                FileChannel file =
                        FileChannel.open(directory.resolve("empty"), CREATE, READ, WRITE);
                PageScan scan = PageScan.of(new Proc(ProcessHandle.current().pid()))) {
            file.write(ByteBuffer.allocate(1), 2 * PAGES * PAGE - 1);
            MemorySegment memory = file.map(MapMode.PRIVATE, 0, 2 * PAGES * PAGE, arena);
            long start = memory.address();
            List<Long> expected = new ArrayList<>();
            for (long page = 0; page < PAGES; page++) {
                memory.set(ValueLayout.JAVA_BYTE, 2 * page * PAGE, (byte) 1);
                expected.add(start + 2 * page * PAGE);
            }
            List<Long> found = new ArrayList<>();
            scan.<RuntimeException>scan(
                    start,
                    start + memory.byteSize(),
                    Kind.PRESENT,
                    (from, to) -> {
                        for (long at = from; at < to; at += PAGE) {
                            found.add(at);
                        }
                    });
            assertEquals(expected, found);
        }
    }
}
