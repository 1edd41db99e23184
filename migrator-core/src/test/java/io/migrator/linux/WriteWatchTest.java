package io.migrator.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.linux.PageScan.Kind;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

@Timeout(30)
class WriteWatchTest {
    private static final int PAGE = 4096;
    private static final int PAGES = 1000;
    private static final Pattern ANONYMOUS =
            Pattern.compile("(?m)^(\\p{XDigit}+)-(\\p{XDigit}+) rw-p 0+ 00:00 0.*$");

    /** Keeps {@code PAGES} pages of x. */
    private static final String PROGRAM =
            "x=$(head -c %d /dev/zero | tr '\\0' x); echo $$; read line; echo ${#x}"
                    .formatted(PAGES * PAGE);

    private Process program;
    private Proc process;
    private long start;
    private long end;

    @BeforeEach
    void begin() throws Exception {
        // not a child of this JVM, which waits for its own children
        program =
                new ProcessBuilder("sh", "-c", "exec 3<&0; sh -c \"$0\" <&3 & wait $!", PROGRAM)
                        .start();
        process = new Proc(Long.parseLong(program.inputReader().readLine()));
        Matcher areas = ANONYMOUS.matcher(Files.readString(process.file("maps")));
        while (areas.find()) {
            long from = Long.parseUnsignedLong(areas.group(1), 16);
            long behind = Long.parseUnsignedLong(areas.group(2), 16);
            if (behind - from > end - start) {
                start = from;
                end = behind;
            }
        }
        assertTrue(end - start >= PAGES * PAGE);
    }

    /** It was none the worse for it. */
    @AfterEach
    void finish() throws Exception {
        program.outputWriter().append("go on\n").flush();
        assertEquals(String.valueOf(PAGES * PAGE), program.inputReader().readLine());
        assertEquals(0, program.waitFor());
    }

    private List<Long> pages(PageScan scan, Kind kind) throws IOException {
        List<Long> found = new ArrayList<>();
        scan.<RuntimeException>scan(
                start,
                end,
                kind,
                (from, to) -> {
                    for (long page = from; page < to; page += PAGE) {
                        found.add(page);
                    }
                });
        return found;
    }

    private boolean isWatched() throws IOException {
        return Files.readString(process.file("smaps")).contains(" uw");
    }

    @Test
    void whatIsWrittenIsTold() throws Exception {
        List<String> before = List.copyOf(process.descriptors().values());
        try (WriteWatch watch = WriteWatch.of(process);
                PageScan scan = PageScan.of(process);
                ProcessMemory memory = new ProcessMemory()) {
            assertEquals(before, List.copyOf(process.descriptors().values()));
            assertFalse(watch.clear(start, end));
            assertTrue(watch.register(start, end));
            assertTrue(watch.clear(start, end));
            assertTrue(isWatched());
            List<Long> first = pages(scan, Kind.WRITTEN_AND_RESET);
            assertEquals(pages(scan, Kind.PRESENT), first);
            assertTrue(first.size() >= PAGES, () -> first.size() + " pages");
            assertEquals(List.of(), pages(scan, Kind.WRITTEN_AND_RESET));

            long page = first.get(first.size() / 2);
            ByteBuffer byteOf = ByteBuffer.allocateDirect(1);
            memory.read(process.pid(), page, byteOf);
            memory.write(process.pid(), page, byteOf);
            assertEquals(List.of(page), pages(scan, Kind.WRITTEN));
            assertEquals(List.of(page), pages(scan, Kind.WRITTEN_AND_RESET));
            assertEquals(List.of(), pages(scan, Kind.WRITTEN));
        }
        assertFalse(isWatched());
    }

    @Test
    void whatIsNotWatchedCannotBeReset() throws Exception {
        try (PageScan scan = PageScan.of(process)) {
            assertTrue(pages(scan, Kind.PRESENT).size() >= PAGES);
            assertThrows(IOException.class, () -> pages(scan, Kind.WRITTEN_AND_RESET));
        }
    }

    @Test
    void twoCannotWatchTheSame() throws Exception {
        try (WriteWatch first = WriteWatch.of(process);
                WriteWatch second = WriteWatch.of(process)) {
            assertTrue(first.register(start, end));
            assertFalse(second.register(start, end));
        }
    }
}
