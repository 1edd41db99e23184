package io.migrator.ssh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;

@Timeout(20)
class LinkWatchTest {

    @Test
    void aSilentLinkIsClosedWhichFreesItsReader() throws Exception {
        BytePipe link = new BytePipe();
        try (LinkWatch watch = new LinkWatch(link.sink()::close, Duration.ofSeconds(1))) {
            InputStream in = watch.watched(link.sink());
            link.source().write(5);
            assertEquals(5, in.read());
            long start = System.nanoTime();
            assertEquals(-1, in.read());
            assertTrue(System.nanoTime() - start > 900_000_000L);
            assertTrue(watch.dead());
        }
    }

    @Test
    void silenceCountsOnlyWhileSomebodyReads() throws Exception {
        try (LinkWatch watch = new LinkWatch(() -> {}, Duration.ofMillis(500))) {
            InputStream in = watch.watched(new ByteArrayInputStream(new byte[1]));
            assertEquals(0, in.read());
            Thread.sleep(1500);
            assertFalse(watch.dead());
        }
    }

    /** The reader has gone to answer, and stands behind the writer. */
    @Test
    void aWriteThatDoesNotEndClosesTheLink() throws Exception {
        CountDownLatch closed = new CountDownLatch(1);
        OutputStream stuck =
                new OutputStream() {
                    @Override
                    public void write(int one) throws IOException {
                        try {
                            closed.await();
                        } catch (InterruptedException e) {
                            Thread.currentThread().interrupt();
                        }
                        throw new IOException("closed");
                    }
                };
        try (LinkWatch watch = new LinkWatch(closed::countDown, Duration.ofSeconds(1))) {
            InputStream in = watch.watched(new ByteArrayInputStream(new byte[1]));
            assertEquals(0, in.read());
            OutputStream out = watch.watched(stuck);
            assertThrows(IOException.class, () -> out.write(new byte[8]));
            assertTrue(watch.dead());
        }
    }
}
