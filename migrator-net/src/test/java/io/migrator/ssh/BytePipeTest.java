package io.migrator.ssh;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Random;

@Timeout(20)
class BytePipeTest {

    @Test
    void moreThanItHoldsGoesThroughInOrder() throws Exception {
        byte[] data = new byte[3_000_001];
        new Random(1).nextBytes(data);
        BytePipe pipe = new BytePipe();
        Thread writer =
                Thread.ofVirtual()
                        .start(() -> {
                            try (OutputStream out = pipe.source()) {
                                for (int at = 0; at < data.length; at += 32_000) {
                                    out.write(data, at, Math.min(32_000, data.length - at));
                                }
                            } catch (IOException e) {
                                throw new IllegalStateException(e);
                            }
                        });
        try (InputStream in = pipe.sink()) {
            assertArrayEquals(data, in.readAllBytes());
        }
        writer.join();
    }

    @Test
    void aReaderThatEndedDoesNotBreakIt() throws Exception {
        BytePipe pipe = new BytePipe();
        pipe.source().write(new byte[] {1, 2});
        Thread first =
                Thread.ofPlatform()
                        .start(() -> {
                            try {
                                pipe.sink().read();
                            } catch (IOException e) {
                                throw new IllegalStateException(e);
                            }
                        });
        first.join();
        pipe.source().write(3);
        assertEquals(2, pipe.sink().read());
        assertEquals(3, pipe.sink().read());
    }

    @Test
    void aLossIsSeenAfterWhatArrivedBefore() throws Exception {
        BytePipe pipe = new BytePipe();
        pipe.source().write(7);
        pipe.fail(new IOException("link cut"));
        assertEquals(7, pipe.sink().read());
        IOException loss = assertThrows(IOException.class, () -> pipe.sink().read());
        assertEquals("link cut", loss.getMessage());
    }

    @Test
    void whatNobodyWantsDoesNotBlockTheWriter() throws Exception {
        BytePipe pipe = new BytePipe();
        pipe.sink().close();
        pipe.source().write(new byte[1 << 20]);
        assertEquals(-1, pipe.sink().read());
    }
}
