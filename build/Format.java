import com.google.googlejavaformat.java.Formatter;
import com.google.googlejavaformat.java.FormatterException;
import com.google.googlejavaformat.java.JavaFormatterOptions;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Checks that every Java source is laid out by google-java-format (AOSP), or lays it out.
 *
 * <p>A program of its own, because the formatter can read Java 25 only on Java 25 and Maven, with
 * its formatter plugins, may run on an older one.
 *
 * <pre>java -cp 'target/format/*' build/Format.java check|apply ROOT</pre>
 */
final class Format {
    private static final Formatter FORMATTER =
            new Formatter(
                    JavaFormatterOptions.builder().style(JavaFormatterOptions.Style.AOSP).build());

    public static void main(String[] args) throws IOException {
        boolean apply = args[0].equals("apply");
        Path root = Path.of(args[1]);
        List<String> faults = new ArrayList<>();
        for (Path source : sources(root)) {
            try {
                String before = Files.readString(source);
                String after = FORMATTER.formatSourceAndFixImports(before);
                if (after.equals(before)) {
                    continue;
                }
                if (apply) {
                    Files.writeString(source, after);
                } else {
                    faults.add(root.relativize(source) + ":" + firstDifference(before, after));
                }
            } catch (FormatterException e) {
                faults.add(root.relativize(source) + ":" + e.getMessage());
            }
        }
        if (!faults.isEmpty()) {
            faults.forEach(fault -> System.err.println("format: " + fault));
            System.err.println("format: to lay them out: mvn -q -N verify -Dformat=apply");
            System.exit(1);
        }
    }

    private static List<Path> sources(Path root) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            return files.filter(file -> file.toString().endsWith(".java"))
                    .filter(file -> !root.relativize(file).toString().matches("(.*/)?target/.*"))
                    .sorted()
                    .toList();
        }
    }

    private static String firstDifference(String before, String after) {
        List<String> is = before.lines().toList();
        List<String> shouldBe = after.lines().toList();
        for (int line = 0; line < is.size(); line++) {
            if (line >= shouldBe.size() || !is.get(line).equals(shouldBe.get(line))) {
                return (line + 1) + ": " + is.get(line).strip();
            }
        }
        return is.size() + ": end of file";
    }
}
