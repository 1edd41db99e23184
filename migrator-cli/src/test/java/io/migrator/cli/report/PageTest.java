package io.migrator.cli.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import io.migrator.migration.Purpose;
import io.migrator.migration.Trace;
import io.migrator.migration.Trace.Part;
import io.migrator.migration.Usage;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The page of a report: what is in it, and what cannot get out of it. */
class PageTest {
    private static final String EVIL = "</script><script>alert(1)</script>\u001b[2J$1\\";

    @TempDir private Path directory;

    private static Report report() {
        Trace trace =
                new Trace(
                        List.of(new Part("check", 0, 5)),
                        List.of(new Part("round 1", 5, 8)),
                        List.of(new Part("seal", 8, 9)),
                        new Part("still", 8, 10),
                        new Usage(1.5, 1 << 20),
                        new Trace.Far(List.of(new Part(EVIL, 8, 9)), new Usage(1, 2), 7, 0.5));
        DrawnMove.Told told =
                new DrawnMove.Told(
                        "n1",
                        "n2",
                        "precopy",
                        2,
                        12,
                        1,
                        0,
                        0,
                        1,
                        List.of(new DrawnMove.Pass(4096, 1, 3)),
                        DrawnTrace.of(trace, Purpose.MOVE, 12));
        Machine machine =
                new Machine("now", "cpu", 2, 1, "6.18", 0.5, "25", "4.2.1", "1.4.5", "10");
        return new Report(
                EVIL,
                "migrator",
                "1",
                machine,
                3.2,
                List.of(new DrawnMove(EVIL, told, 3.0, null)),
                List.of(),
                List.of());
    }

    private static JsonNode data(String html) throws IOException {
        Matcher data =
                Pattern.compile(
                                "<script type=\"application/json\" id=\"data\">(.*?)</script>",
                                Pattern.DOTALL)
                        .matcher(html);
        assertTrue(data.find());
        return new ObjectMapper().readTree(data.group(1));
    }

    @Test
    void whatIsToldIsInThePage() throws IOException {
        JsonNode move = data(Page.html(report())).path("moves").path(0);
        assertEquals(EVIL, move.path("name").asText());
        assertEquals("n1", move.path("from").asText());
        assertEquals(7, move.path("clockOffsetMillis").asDouble());
        assertEquals(
                List.of("source stage", "source round", "source step", "target step"),
                move.path("steps")
                        .valueStream()
                        .map(step -> step.path("side").asText() + " " + step.path("kind").asText())
                        .toList());
        assertEquals(
                List.of("source runs 0.0 8.0", "source still 8.0 10.0", "target runs 10.0 12.0"),
                move.path("job")
                        .valueStream()
                        .map(span ->
                                "%s %s %s %s"
                                        .formatted(
                                                span.path("side").asText(),
                                                span.path("state").asText(),
                                                span.path("fromMillis").asDouble(),
                                                span.path("toMillis").asDouble()))
                        .toList());
        assertEquals(1.5, move.path("source").path("cpuSeconds").asDouble());
    }

    /** Names come from jobs and other nodes. */
    @Test
    void noNameBecomesPartOfThePage() throws IOException {
        String html = Page.html(report());
        assertFalse(html.contains("alert(1)</script>"));
        assertFalse(html.contains("\u001b"));
        assertTrue(html.contains("<title>&lt;/script>"));
    }

    /** The browser asks for nothing from outside, whatever the page holds. */
    @Test
    void thePageForbidsAllThatIsNotInIt() throws IOException {
        String head = Page.html(report()).lines().limit(8).reduce("", String::concat);
        assertTrue(
                head.contains(
                        "Content-Security-Policy\" content=\"default-src 'none'; style-src"
                                + " 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\""),
                head);
    }

    @Test
    void aPageHasItsNameWhenItIsWhole() throws Exception {
        Path file = directory.resolve("report.html");
        try (Page page = Page.at(file)) {
            assertFalse(Files.exists(file));
            page.write(report());
        }
        assertTrue(Files.readString(file).endsWith("</html>\n"));
        try (Page _ = Page.at(file)) {
            // and is given up
        }
        try (Stream<Path> left = Files.list(directory)) {
            assertEquals(List.of(file), left.toList());
        }
    }

    @Test
    void aPlaceThatCannotBeWrittenIsToldAtOnce() {
        for (Path file : List.of(directory, directory.resolve("no/report.html"), Path.of("/"))) {
            Problem problem = assertThrows(Problem.class, () -> Page.at(file));
            assertEquals(ExitCode.USAGE, problem.exitCode());
        }
    }
}
