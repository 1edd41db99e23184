package io.migrator.files;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;

import io.migrator.fuzz.InMemory;
import io.migrator.problem.Problem;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Rules are read or not understood. */
class FileRulesFuzzTest {
    @TempDir(factory = InMemory.class)
    private static Path directory;

    static Stream<byte[]> seeds() {
        return Stream.of(
                        "# none\ncarry /scratch/job\n\nshared /home/**\nleave /a/{b,c}?[x-z]\n",
                        "refuse /\n",
                        "carry /*/x\n")
                .map(text -> text.getBytes(StandardCharsets.UTF_8));
    }

    @MethodSource("seeds")
    @Timeout(60)
    @FuzzTest
    void rulesAreReadOrNotUnderstood(byte[] input) throws IOException {
        Path file = directory.resolve("rules");
        Files.write(file, input);
        try {
            FileRules rules = FileRules.read(file);
            rules.of("/scratch/job/file");
            rules.of("/");
            rules.carrying()
                    .forEach(each -> assertTrue(each.directory().orElseThrow().isAbsolute()));
        } catch (Problem e) {
            // not understood
        }
    }
}
