package io.migrator.criu;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What criu's errors mean and what helps: those that users have met. The book is the resource
 * {@code errors.json}; docs/errors.md is made of it. Any thread.
 */
public final class ErrorBook {
    private static final List<Entry> ENTRIES = read();

    private ErrorBook() {}

    /**
     * One kind of error.
     *
     * @param name for people to refer to
     * @param line a regular expression that is found in criu's line, of which its source file is
     *     cut off
     * @param cause in words that need no knowledge of criu
     * @param remedy what to do
     */
    public record Entry(String name, Pattern line, String cause, String remedy) {
        /** Nothing is left out. */
        public Entry {
            Objects.requireNonNull(name);
            Objects.requireNonNull(line);
            Objects.requireNonNull(cause);
            Objects.requireNonNull(remedy);
        }
    }

    private static List<Entry> read() {
        try (InputStream in = ErrorBook.class.getResourceAsStream("errors.json")) {
            return new ObjectMapper().readValue(in, new TypeReference<>() {});
        } catch (IOException e) {
            throw new UncheckedIOException("errors.json cannot be read", e);
        }
    }

    /** All of it. The first that fits is meant. */
    public static List<Entry> entries() {
        return ENTRIES;
    }

    /**
     * What lies behind errors of one run of criu.
     *
     * @param lines as {@link CriuLog#causes}: the first that is in the book tells the cause, those
     *     after it follow from it
     */
    public static Optional<Entry> of(List<String> lines) {
        return lines.stream().flatMap(line -> of(line).stream()).findFirst();
    }

    private static Optional<Entry> of(String line) {
        String begin = CriuLog.cut(line);
        return ENTRIES.stream().filter(each -> each.line.matcher(begin).find()).findFirst();
    }
}
