package io.migrator.it;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** The file that {@code tally} writes: who wrote which number, and where it runs now. */
final class Tally {
    /** tally writes a line every 5 ms: this is more than any pause of a busy machine. */
    private static final long STANDS_MILLIS = 2500;

    private static final long LOOK_MILLIS = 400;
    private static final int ENOUGH_LINES = 10;

    private final Path file;

    Tally(Path file) {
        this.file = file;
    }

    Path file() {
        return file;
    }

    /** n1 or n2, or both joined by a plus, or {@code stands} if it is not written for 2.5 s. */
    String grows() throws IOException, InterruptedException {
        int before = lines().size();
        long end = System.nanoTime() + STANDS_MILLIS * 1_000_000;
        while (lines().size() < before + ENOUGH_LINES && System.nanoTime() < end) {
            Thread.sleep(20);
        }
        Thread.sleep(LOOK_MILLIS);
        List<String> now = lines();
        List<String> nodes =
                now.subList(before, now.size()).stream()
                        .map(line -> line.substring(line.indexOf(' ') + 1))
                        .distinct()
                        .sorted()
                        .toList();
        return nodes.isEmpty() ? "stands" : String.join("+", nodes);
    }

    /** The nodes on which it ever wrote. */
    Set<String> writers() throws IOException {
        return lines().stream()
                .map(line -> line.substring(line.indexOf(' ') + 1))
                .collect(Collectors.toSet());
    }

    /** Numbers that were written more than once. */
    long doubled() throws IOException {
        Set<Long> seen = new HashSet<>();
        return numbers().stream().filter(number -> !seen.add(number)).count();
    }

    /** Numbers up to the highest that were never written. */
    long lost() throws IOException {
        Set<Long> seen = new HashSet<>(numbers());
        return seen.stream().mapToLong(Long::longValue).max().orElse(0) - seen.size();
    }

    private List<Long> numbers() throws IOException {
        return lines().stream()
                .map(line -> Long.parseLong(line.substring(0, line.indexOf(' '))))
                .toList();
    }

    /** Whole lines only: each is written by one call. */
    private List<String> lines() throws IOException {
        return Files.exists(file)
                ? Files.readString(file, StandardCharsets.US_ASCII).lines().toList()
                : List.of();
    }
}
