package io.migrator.ssh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

class TailTest {

    @Test
    void theLastPartIsKept() throws IOException {
        Tail tail = new Tail();
        assertEquals("", tail.text());
        for (int i = 0; i < 5000; i++) {
            tail.write(("line " + i + "\n").getBytes(StandardCharsets.UTF_8));
        }
        assertTrue(tail.text().endsWith("line 4998\nline 4999"));
        assertTrue(tail.text().length() <= Tail.KEPT_BYTES);
        tail.write("x".repeat(100_000).getBytes(StandardCharsets.UTF_8));
        assertEquals("x".repeat(Tail.KEPT_BYTES), tail.text());
    }
}
