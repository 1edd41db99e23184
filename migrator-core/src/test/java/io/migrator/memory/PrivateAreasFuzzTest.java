package io.migrator.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;

import io.migrator.fuzz.KernelText;

import org.junit.jupiter.api.Timeout;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Whatever the files are called that a job has mapped: its own memory is found, and nothing else.
 */
class PrivateAreasFuzzTest {
    private static final int PAGE_BYTES = 4096;
    private static final int MOST_LINES = 30;

    @Timeout(60)
    @FuzzTest
    void ownMemoryIsFound(FuzzedDataProvider data) {
        StringBuilder maps = new StringBuilder();
        List<PageRange> own = new ArrayList<>();
        long at = 1 << 16;
        for (int each = 0; each < MOST_LINES && data.remainingBytes() > 0; each++) {
            long start = at + PAGE_BYTES * data.consumeLong(0, 1 << 20);
            at = start + PAGE_BYTES * data.consumeLong(1, 1 << 20);
            if (data.consumeBoolean()) {
                own.add(new PageRange(start, at));
                String name = data.consumeBoolean() ? "" : "[anon:a]";
                maps.append("%08x-%08x rw-p 00000000 00:00 0 %s\n".formatted(start, at, name));
            } else {
                byte[] name = data.consumeBytes(40);
                maps.append(
                        KernelText.mapping(
                                start,
                                at,
                                data.pickValue(new String[] {"r--p", "rw-s", "rw-p"}),
                                data.consumeLong(1, Long.MAX_VALUE),
                                "/"
                                        + new String(name, StandardCharsets.ISO_8859_1)
                                                .replace("\0", "")));
            }
        }
        assertEquals(own, PrivateAreas.in(maps.toString()));
        PrivateAreas.stretches(maps.toString(), Set.of());
    }
}
