package io.migrator.cli.bench;

import com.fasterxml.jackson.core.JsonProcessingException;

import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A file that a payload writes again and again, each report with a higher number. One thread. */
final class ReportFile<T extends ReportFile.Numbered> {
    private static final int POLL_MILLIS = 5;

    private final Path file;
    private final String inside;
    private final Class<T> type;
    private int seen;

    /** A report; the numbers begin with 1. */
    interface Numbered {
        int seq();
    }

    /** A file in the directory of a run, in which there is none yet. */
    ReportFile(Site site, String name, Class<T> type) {
        this.file = site.directory().resolve(name);
        this.inside = site.inside() + "/" + name;
        this.type = type;
    }

    /** Its path on this machine. */
    Path path() {
        return file;
    }

    /** Its path on the nodes. */
    String inside() {
        return inside;
    }

    /** Waits for a report that was not read before. */
    T next() throws Problem, InterruptedException {
        long end = System.nanoTime() + Site.DEADLINE.toNanos();
        while (System.nanoTime() < end) {
            try {
                if (Files.exists(file)) {
                    T report = Results.JSON.readValue(Files.readString(file), type);
                    if (report.seq() > seen) {
                        seen = report.seq();
                        return report;
                    }
                }
            } catch (JsonProcessingException e) {
                throw Problem.failed("the payload reports nonsense").because(e.getMessage());
            } catch (IOException e) {
                throw Problem.failed("the payload's report cannot be read").because(e.toString());
            }
            Thread.sleep(POLL_MILLIS);
        }
        throw Problem.failed("the payload does not answer").because("no news in " + file);
    }
}
