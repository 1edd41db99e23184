package io.migrator.it;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A payload program on a third machine, as the nodes see it: on the bridge between them, in none of
 * them. Owns the process.
 */
final class Outside implements AutoCloseable {
    /** Addresses of that machine. */
    static final String IP4 = "10.77.0.254";

    static final String IP6 = "fd77::254";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int LOOKS = 400;
    private static final int LOOK_MILLIS = 25;

    private final Process process;
    private final Path file;

    private Outside(Process process, Path file) {
        this.process = process;
        this.file = file;
    }

    /** Starts a program of /shared/bin that takes {@code --report}; waits for its first report. */
    static Outside start(TwoNodes nodes, String program, String... options) throws Exception {
        String pid = pidIn(nodes.shared().resolveSibling("hub"));
        Path file = Files.createTempFile("outside", ".json");
        Files.delete(file);
        List<String> argv = new ArrayList<>(List.of("nsenter", "-t", pid, "--net", "--"));
        argv.add(nodes.shared().resolve("bin/" + program).toString());
        argv.addAll(List.of(options));
        argv.addAll(List.of("--report", file.toString()));
        Process process = new ProcessBuilder(argv).inheritIO().start();
        Outside started = new Outside(process, file);
        for (int i = 0; i < LOOKS && !Files.exists(file); i++) {
            Thread.sleep(LOOK_MILLIS);
        }
        assertTrue(Files.exists(file), () -> "no report of " + argv);
        return started;
    }

    /** Runs a Python program there, with n1's files. The process is the caller's. */
    static Process python(TwoNodes nodes, String... words) throws Exception {
        Path lab = nodes.shared().getParent();
        List<String> argv = new ArrayList<>(List.of("nsenter"));
        argv.add("--mount=/proc/%s/ns/mnt".formatted(pidIn(lab.resolve("nodes/n1/ready"))));
        argv.add("--net=/proc/%s/ns/net".formatted(pidIn(lab.resolve("hub"))));
        argv.addAll(List.of("--", "python3"));
        argv.addAll(List.of(words));
        return new ProcessBuilder(argv).inheritIO().start();
    }

    private static String pidIn(Path file) throws IOException {
        return Files.readString(file).split(" ")[0];
    }

    /** Asks for a report. */
    JsonNode report() throws Exception {
        int before = read().path("seq").asInt();
        new ProcessBuilder("kill", "-USR1", String.valueOf(process.pid())).start().waitFor();
        for (int i = 0; i < LOOKS; i++) {
            JsonNode now = read();
            if (now.path("seq").asInt() > before) {
                return now;
            }
            Thread.sleep(LOOK_MILLIS);
        }
        throw new AssertionError("no report after " + read());
    }

    /** What it said last: a client says more when its connection ends. */
    JsonNode last() throws IOException {
        return read();
    }

    private JsonNode read() throws IOException {
        return JSON.readTree(Files.readAllBytes(file));
    }

    @Override
    public void close() throws Exception {
        process.destroy();
        if (!process.waitFor(5, TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
        Files.deleteIfExists(file);
    }
}
