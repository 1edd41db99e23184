package io.migrator.cli.bench;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;

import io.migrator.problem.Problem;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * Cases as they are written down: JSON, with comments.
 *
 * @param repeat rounds that count
 * @param pauseMillis before and after each move, in which nothing goes on
 */
record CaseFile(int repeat, int pauseMillis, List<BenchCase> cases) {
    private static final ObjectReader READER =
            JsonMapper.builder()
                    .enable(JsonParser.Feature.ALLOW_COMMENTS)
                    .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .build()
                    .readerFor(CaseFile.class);

    private static final int MOST = 1000;
    private static final int LONGEST_MILLIS = 60_000;

    /**
     * Takes what somebody wrote.
     *
     * @throws IllegalArgumentException if it is not understood
     */
    CaseFile {
        if (repeat < 1 || repeat > MOST || pauseMillis < 1 || pauseMillis > LONGEST_MILLIS) {
            throw new IllegalArgumentException(
                    "repeat has to be 1 to 1000, pauseMillis 1 to 60000");
        }
        if (cases == null || cases.contains(null)) {
            throw new IllegalArgumentException("cases has to be a list of cases");
        }
        cases = List.copyOf(cases);
        Set<String> names = new HashSet<>();
        for (BenchCase each : cases) {
            if (!names.add(each.name())) {
                throw new IllegalArgumentException("two cases named " + each.name());
            }
        }
        if (cases.isEmpty()) {
            throw new IllegalArgumentException("it has no cases");
        }
    }

    /** One of those that come with the program. */
    static String shipped(String name) {
        try (InputStream in = CaseFile.class.getResourceAsStream(name)) {
            return new String(
                    Objects.requireNonNull(in, name).readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Reads a file. */
    static CaseFile read(Path file) throws Problem {
        try {
            return parse(Files.readString(file), file.toString());
        } catch (IOException e) {
            throw Problem.usage("the cases cannot be read").because(e.toString());
        }
    }

    /**
     * Reads a text.
     *
     * @param origin for messages
     */
    static CaseFile parse(String text, String origin) throws Problem {
        try {
            return READER.readValue(text);
        } catch (JacksonException e) {
            JsonLocation at = e.getLocation();
            Throwable cause = e.getCause();
            throw Problem.usage("the cases in %s are not understood".formatted(origin))
                    .because(
                            (at == null ? "" : "line %d: ".formatted(at.getLineNr()))
                                    + (cause == null ? e.getOriginalMessage() : cause.getMessage()))
                    .tryThis("migrator bench suite --print-cases prints some; docs/benchmarks.md");
        }
    }
}
