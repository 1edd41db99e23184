package io.migrator.files;

import com.code_intelligence.jazzer.junit.FuzzTest;

import io.migrator.fuzz.InMemory;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Lists of files in a spool are read by another process than wrote them, perhaps cut off. */
class FileListsFuzzTest {
    @TempDir(factory = InMemory.class)
    private static Path directory;

    static Stream<byte[]> seeds() {
        return Stream.of(
                        "1 2 3 2026-01-02T03:04:05Z 2026-01-02T03:04:05.5Z /no/such file\n",
                        "overlay 1 2 /no/such\n",
                        "F 1 0 0 /no/such/a\nD 0 5 6 /no/such/b\nL 2 5 6 /no/such/c\n",
                        "O 0 0 0 /no/such/d\nF 1")
                .map(text -> text.getBytes(StandardCharsets.UTF_8));
    }

    @MethodSource("seeds")
    @Timeout(60)
    @FuzzTest
    void listsAreReadOrRefused(byte[] input) throws IOException {
        Files.write(directory.resolve("gone-files"), input);
        Path made = Files.write(directory.resolve("made-files"), input);
        try {
            GoneFiles.read(directory);
        } catch (IOException e) {
            // refused
        }
        try {
            MadeFiles.read(made);
        } catch (IOException e) {
            // refused
        }
    }
}
