package io.migrator.criu;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/**
 * criu's log, read for its cause: the error lines without those that every good run has too. criu's
 * own answer names the first error, which is often one of the harmless ones (facts: swrk.md).
 */
public record CriuLog(Path file) {
    private static final Pattern ERROR = Pattern.compile("Error \\([^)]*\\): ");

    /** Lines that appear in good runs on kernels, or under capabilities, that lack something. */
    private static final Pattern HARMLESS =
            Pattern.compile(
                    "kerndat\\.c|net\\.c:[0-9]+\\): net: Unexpected error|Can't setup RLIMIT_NOFILE"
                            + "|Could not process rule|Unable to detach from");

    private static final int SHOWN = 3;

    /**
     * criu writes no longer ones (criu/log.c, LOG_BUF_LEN): in one that is, names of the job's may
     * make looking for what criu says take long.
     */
    private static final int MOST_OF_A_LINE = 8 << 10;

    /** The lines that tell the cause, oldest first; empty if the log has none or is missing. */
    public List<String> causes() {
        try {
            List<String> errors =
                    Files.readString(file, StandardCharsets.ISO_8859_1)
                            .lines()
                            .map(CriuLog::cut)
                            .filter(line -> ERROR.matcher(line).find())
                            .filter(line -> !HARMLESS.matcher(line).find())
                            .map(line -> line.substring(line.indexOf("Error (")))
                            .map(line -> ERROR.matcher(line).replaceFirst(""))
                            .filter(line -> !line.isBlank())
                            .distinct()
                            .toList();
            return errors.subList(0, Math.min(SHOWN, errors.size()));
        } catch (IOException e) {
            return List.of();
        }
    }

    /** What may be looked through of a line. */
    static String cut(String line) {
        return line.substring(0, Math.min(line.length(), MOST_OF_A_LINE));
    }

    /** The causes as one line of text; never empty. */
    public String because() {
        List<String> causes = causes();
        return causes.isEmpty() ? "its log names no cause" : String.join("; ", causes);
    }
}
