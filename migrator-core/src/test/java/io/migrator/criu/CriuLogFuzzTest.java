package io.migrator.criu;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;

import io.migrator.fuzz.CpuTime;
import io.migrator.fuzz.InMemory;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/** criu's log names files and programs of the job as they like to be named. */
class CriuLogFuzzTest {
    private static final int LONG = 64 << 10;

    /** Of one line, and of the log that has it. */
    private static final Duration MOST = Duration.ofSeconds(2);

    @TempDir(factory = InMemory.class)
    private static Path directory;

    static Stream<byte[]> seeds() {
        return Stream.of(
                        "(00.1) Error (criu/files-reg.c:2113): File /a has bad size 1 (expect 2)\n",
                        "(00.1) Error (criu/a.c:1): Can't open file /x on restore: No such file or"
                                + " directory\nError (b): c\n",
                        "Error (kerndat.c:1): x\n")
                .map(text -> text.getBytes(StandardCharsets.UTF_8));
    }

    @MethodSource("seeds")
    @Timeout(60)
    @FuzzTest
    void causesAreFound(byte[] input) throws IOException {
        Path file = directory.resolve("log");
        Files.write(file, input);
        CriuLog log = new CriuLog(file);
        List<String> causes = log.causes();
        assertTrue(causes.size() <= 3);
        assertFalse(log.because().isEmpty());
        ErrorBook.of(causes);
    }

    /** Each begins as an entry of the book does, again and again, and then does not go on so. */
    static Stream<String> longLines() {
        Stream<String> parts =
                ErrorBook.entries().stream()
                        .flatMap(entry -> Stream.of(entry.line().pattern().split("\\|")))
                        .filter(part -> part.contains("*") || part.contains("+"))
                        .flatMap(part -> Stream.of(part, part.replaceAll("\\.\\*.*", "")))
                        .map(part -> part.replaceAll("\\\\[dSw]|\\[[^]]*]", "1"))
                        .map(part -> part.replaceAll("[\\\\^$()+*?]", ""))
                        .filter(part -> !part.isEmpty());
        return Stream.concat(
                        parts, Stream.of("Error (", "Error (a): ", " ", "a", "(", ": ", "1", "/"))
                .distinct()
                .map(part -> part.repeat(LONG / part.length()));
    }

    @MethodSource("longLines")
    @ParameterizedTest(name = "{index}")
    void aLongLineTakesNoLongTime(String line) throws IOException {
        Path file = directory.resolve("long");
        Files.writeString(file, "(1) Error (criu/x.c:1): " + line + "\n" + line + "\n");
        CpuTime.within(
                MOST,
                () -> {
                    ErrorBook.of(List.of(line));
                    ErrorBook.of(new CriuLog(file).causes());
                });
    }
}
