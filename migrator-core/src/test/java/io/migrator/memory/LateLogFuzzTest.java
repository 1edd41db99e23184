package io.migrator.memory;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;

import io.migrator.fuzz.Heap;
import io.migrator.fuzz.InMemory;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** The log of memory to come is read by another process than wrote it, perhaps cut off. */
class LateLogFuzzTest {
    private static final long SMALL_BYTES = 256 << 10;
    private static final int TIMES = 2000;
    private static final int PID = 7;

    @TempDir(factory = InMemory.class)
    private static Path directory;

    static Stream<byte[]> seeds() {
        return Stream.of(
                        "keeper 5 6\nhold 0 7 0 5 6 3\nmove 0 4096 8192 4096\ndrop 0 4096 8192\n"
                                + "hold 1 7 0 5 6 4\n\n\n",
                        "hold 0 7 0 5 6 3\ndrop 0 0 9223372036854775807\n")
                .map(text -> text.getBytes(StandardCharsets.US_ASCII));
    }

    @MethodSource("seeds")
    @DictionaryEntries({"keeper ", "hold ", "move ", "drop ", " 0", " 7", " -1", "\\x0a", " 4096"})
    @Timeout(60)
    @FuzzTest
    void logsAreReadOrRefused(byte[] input) throws IOException {
        Files.write(directory.resolve("late.log"), input);
        JobPages late = new JobPages();
        late.add(PID, 0, 1 << 20);
        Heap.within(
                SMALL_BYTES + (long) TIMES * input.length,
                () -> {
                    try {
                        LateLog.keepers(directory);
                        for (LateLog.Logged each : LateLog.read(directory, late)) {
                            each.moves().now(4096);
                            each.lacks().bytes();
                        }
                    } catch (IOException e) {
                        // refused
                    }
                });
    }
}
