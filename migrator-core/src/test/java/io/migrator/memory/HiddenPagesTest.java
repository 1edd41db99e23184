package io.migrator.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

class HiddenPagesTest {
    @TempDir private Path images;

    private void write(long... words) throws IOException {
        ByteBuffer bytes =
                ByteBuffer.allocate(words.length * Long.BYTES).order(ByteOrder.nativeOrder());
        bytes.asLongBuffer().put(words);
        Files.write(images.resolve("hidden"), bytes.array());
    }

    private List<String> ranges() throws IOException {
        List<String> found = new ArrayList<>();
        HiddenPages.of(images)
                .forEach((pid, start, end) -> found.add("%d %x-%x".formatted(pid, start, end)));
        return found;
    }

    @Test
    void noFileMeansNoPage() throws Exception {
        assertEquals(List.of(), ranges());
        assertEquals(0, HiddenPages.of(images).all(Long.MAX_VALUE).bytes());
    }

    @Test
    void rangesComeInTheOrderOfTheFile() throws Exception {
        write(26, 0x1000, 0x3000, 27, 0x7f00_0000_0000L, 0x7f00_0000_1000L);
        assertEquals(List.of("26 1000-3000", "27 7f0000000000-7f0000001000"), ranges());
        assertEquals(0x3000, HiddenPages.of(images).all(Long.MAX_VALUE).bytes());
    }

    @Test
    void moreRangesThanTheBufferHoldsAreAllGiven() throws Exception {
        int count = 10_000;
        long[] words = new long[3 * count];
        for (int i = 0; i < count; i++) {
            words[3 * i] = 26;
            words[3 * i + 1] = 0x2000L * i;
            words[3 * i + 2] = 0x2000L * i + 0x1000;
        }
        write(words);
        assertEquals(count, ranges().size());
        assertEquals(0x1000L * count, HiddenPages.of(images).all(Long.MAX_VALUE).bytes());
    }

    @Test
    void whatIsNoRangeIsRefused() throws Exception {
        write(26, 0x1000, 0x3000, 26, 0x4000);
        assertThrows(IOException.class, this::ranges);
        write(26, 0x3000, 0x1000);
        assertThrows(IOException.class, this::ranges);
        write(26, 0x1001, 0x3000);
        assertThrows(IOException.class, this::ranges);
        write(1L << 40, 0x1000, 0x3000);
        assertThrows(IOException.class, this::ranges);
    }
}
