package io.migrator.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.CRC32C;

/**
 * A payload for a JVM: four threads make, move, check and drop arrays, so that the collector moves
 * them about. Replaces a file again and again by {"seq":N,"done":N,"wrong":N}: arrays checked, and
 * of these the wrong ones.
 */
final class JvmJob {
    private static final int THREADS = 4;
    private static final int KEPT = 300;
    private static final int MOST_BYTES = 200_000;
    private static final long REPORT_MILLIS = 50;

    private static final AtomicLong DONE = new AtomicLong();
    private static final AtomicLong WRONG = new AtomicLong();

    private JvmJob() {}

    /** Runs until it is killed. */
    public static void main(String[] words) throws IOException, InterruptedException {
        for (int thread = 0; thread < THREADS; thread++) {
            long seed = thread;
            Thread.ofPlatform().start(() -> churn(new SplittableRandom(seed)));
        }
        Path file = Path.of(words[0]);
        Path draft = Path.of(words[0] + "~");
        for (long seq = 1; ; seq++) {
            Files.writeString(
                    draft, "{\"seq\":" + seq + ",\"done\":" + DONE + ",\"wrong\":" + WRONG + "}");
            Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
            Thread.sleep(REPORT_MILLIS);
        }
    }

    private static void churn(SplittableRandom random) {
        byte[][] kept = new byte[KEPT][];
        long[] sums = new long[KEPT];
        while (true) {
            int at = random.nextInt(KEPT);
            if (kept[at] != null) {
                WRONG.addAndGet(sum(kept[at]) == sums[at] ? 0 : 1);
                DONE.incrementAndGet();
            }
            byte[] fresh = new byte[random.nextInt(MOST_BYTES)];
            random.nextBytes(fresh);
            kept[at] = fresh;
            sums[at] = sum(fresh);
        }
    }

    private static long sum(byte[] bytes) {
        CRC32C sum = new CRC32C();
        sum.update(bytes);
        return sum.getValue();
    }
}
