package io.migrator.criu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Lines of real logs, from public threads and from the lab (criu-errors.tsv says where each was
 * seen), are told as what they are. {@code -Derrors.write} writes docs/errors.md.
 */
class ErrorBookTest {
    private static final Path DOCS = Path.of("../docs/errors.md");

    @TempDir private Path directory;

    /** A line of a log, and where it was seen; the name is empty if the book does not have it. */
    record Seen(String name, String line, String where) {}

    static List<Seen> seen() throws IOException {
        try (InputStream in = ErrorBookTest.class.getResourceAsStream("criu-errors.tsv")) {
            String text =
                    new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
            return text.lines()
                    .map(line -> line.split("\t", -1))
                    .map(parts -> new Seen(parts[0], parts[1], parts[2]))
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("seen")
    void aRealLineIsToldAsWhatItIs(Seen seen) throws IOException {
        Path log = Files.writeString(directory.resolve("log"), seen.line + "\n");
        List<String> causes = new CriuLog(log).causes();
        assertEquals(1, causes.size(), () -> "no error: " + seen);
        assertEquals(
                seen.name,
                ErrorBook.of(causes).map(ErrorBook.Entry::name).orElse(""),
                causes::toString);
    }

    /** What follows from the first is not the cause. */
    @Test
    void theFirstKnownLineTellsTheCause() {
        List<String> lines =
                List.of(
                        "Something else",
                        "File home/work/out has bad size 1543 (expect 1630)",
                        "inet: Can't bind inet socket (id 9): Address already in use");
        assertEquals("file-size", ErrorBook.of(lines).orElseThrow().name());
        assertTrue(ErrorBook.of(List.of("Restoring FAILED.", "Unable to open fd=3")).isEmpty());
    }

    @Test
    void namesAreUsedOnce() {
        List<String> names = ErrorBook.entries().stream().map(ErrorBook.Entry::name).toList();
        assertEquals(List.copyOf(new java.util.LinkedHashSet<>(names)), names);
    }

    @Test
    void theDocsAreTheBook() throws IOException {
        String text = docs();
        if (Boolean.getBoolean("errors.write")) {
            Files.writeString(DOCS, text);
        }
        assertEquals(text, Files.readString(DOCS), "write it by -Derrors.write=true");
    }

    private static String docs() throws IOException {
        Map<String, List<Seen>> seen =
                seen().stream()
                        .collect(
                                Collectors.groupingBy(
                                        Seen::name, TreeMap::new, Collectors.toList()));
        StringBuilder text =
                new StringBuilder(
                        """
                        # What criu's errors mean

                        `migrator` quotes what criu said, then tells the cause in brackets, and what to do. This page is made of the book from which it
                        takes them (migrator-core/src/main/resources/io/migrator/criu/errors.json). Lines that users posted, or that the lab had, are quoted
                        with where; what has none is not proved by one. Most of these migrator finds before it freezes anything: `migrator check`.
                        """);
        for (ErrorBook.Entry each : ErrorBook.entries()) {
            text.append("%n## %s%n%n".formatted(each.name()));
            for (Seen one : seen.getOrDefault(each.name(), List.of())) {
                text.append("    %s%n".formatted(one.line.replace('\t', ' ')));
            }
            text.append(
                    "%s: `%s`%n%n"
                            .formatted(
                                    seen.containsKey(each.name()) ? "\nFound by" : "Found by",
                                    each.line()));
            text.append("Cause: %s.%n%nWhat to do: %s.%n".formatted(each.cause(), each.remedy()));
            List<String> where =
                    seen.getOrDefault(each.name(), List.of()).stream()
                            .map(Seen::where)
                            .distinct()
                            .toList();
            if (!where.isEmpty()) {
                text.append("%nSeen: %s.%n".formatted(String.join(", ", where)));
            }
        }
        return text.toString();
    }
}
