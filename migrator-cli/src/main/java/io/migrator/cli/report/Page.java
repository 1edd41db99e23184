package io.migrator.cli.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;

import io.migrator.problem.PlainText;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A file for a report, which has its name only when it is whole. Used by one thread; closed before
 * it was written it leaves nothing.
 */
public final class Page implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern PLACE = Pattern.compile("@([A-Z0-9]+)@");

    private final Path file;
    private final Path unfinished;

    private Page(Path file, Path unfinished) {
        this.file = file;
        this.unfinished = unfinished;
    }

    /**
     * Begins one, before long work: it can be written there.
     *
     * @throws Problem of usage if it cannot
     */
    public static Page at(Path file) throws Problem {
        Path whole = file.toAbsolutePath();
        try {
            if (Files.exists(whole) && !Files.isRegularFile(whole)) {
                throw new IOException("it is there, and no file");
            }
            String name = ".%s.%d".formatted(whole.getFileName(), ProcessHandle.current().pid());
            return new Page(whole, Files.createFile(whole.resolveSibling(name)));
        } catch (IOException e) {
            throw Problem.usage("the report cannot be written to " + file)
                    .because(e.toString())
                    .tryThis("name a file in a directory that is there");
        }
    }

    /** Writes it, in the place of what was there. */
    public void write(Report report) throws Problem {
        try {
            Files.writeString(unfinished, html(report));
            Files.move(unfinished, file, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw Problem.failed("the report could not be written to " + file)
                    .because(e.toString());
        }
    }

    /** The whole page. */
    static String html(Report report) throws IOException {
        Map<String, String> parts =
                Map.of(
                        "TITLE", text(report.title()),
                        "STYLE", resource("report.css"),
                        "D3", resource("d3.min.js"),
                        "PLOT", resource("plot.umd.min.js"),
                        "SCRIPT", resource("report.js"),
                        "DATA", data(report));
        return PLACE.matcher(resource("report.html"))
                .replaceAll(found ->
                        Matcher.quoteReplacement(
                                Objects.requireNonNull(parts.get(found.group(1)))));
    }

    /** Names in it come from jobs and other nodes: none ends the element that it stands in. */
    private static String data(Report report) throws JsonProcessingException {
        return PlainText.ofJson(JSON.writeValueAsString(report)).replace("<", "\\u003c");
    }

    private static String text(String text) {
        return PlainText.of(text).replace("&", "&amp;").replace("<", "&lt;");
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = Page.class.getResourceAsStream(name)) {
            return new String(
                    Objects.requireNonNull(in, name).readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** What was to be reported is done: that an empty file may be left is no failure of it. */
    @Override
    public void close() {
        try {
            Files.deleteIfExists(unfinished);
        } catch (IOException e) {
            // its name tells whose it is
        }
    }
}
