package io.migrator.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.files.FileRules.Act;
import io.migrator.problem.Problem;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** What a user says of single files. */
class FileRulesTest {
    @TempDir private Path directory;

    private FileRules rules(String... lines) throws Exception {
        return FileRules.read(Files.write(directory.resolve("rules"), List.of(lines)));
    }

    @Test
    void theFirstThatFitsCounts() throws Exception {
        FileRules rules =
                rules(
                        "# mine",
                        "",
                        "leave /scratch/job/cache",
                        "carry /scratch/job/",
                        "REFUSE /scratch/*");
        assertEquals(Optional.of(Act.LEAVE), rules.of("/scratch/job/cache/a/b"));
        assertEquals(Optional.of(Act.CARRY), rules.of("/scratch/job"));
        assertEquals(Optional.of(Act.CARRY), rules.of("/scratch/job/caches"));
        assertEquals(Optional.of(Act.REFUSE), rules.of("/scratch/other/file"));
        assertEquals(Optional.empty(), rules.of("/scratch"));
        assertEquals(Optional.empty(), rules.of("/"));
    }

    @Test
    void aPathMayHaveBlanks() throws Exception {
        assertEquals(Optional.of(Act.SHARED), rules("shared  /a b/c").of("/a b/c"));
    }

    @Test
    void whatIsNoRuleIsRefusedByItsLine() {
        for (String line :
                List.of(
                        "carry",
                        "carry job",
                        "take /job",
                        "carry /[",
                        "carry /*/out",
                        "/job carry")) {
            Problem problem = assertThrows(Problem.class, () -> rules("carry /x", line), line);
            assertTrue(problem.what().contains(line), problem::what);
        }
        Path none = directory.resolve("none");
        assertTrue(
                assertThrows(Problem.class, () -> FileRules.read(none))
                        .what()
                        .contains(none.toString()));
    }
}
