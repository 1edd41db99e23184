package io.migrator.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * One process as /proc tells it (proc(5)). A process may vanish at any moment: every method then
 * throws IOException, and the caller decides what that means. Immutable; any thread.
 */
public record Proc(long pid) {
    private static final Path ROOT = Path.of("/proc");
    private static final String BOOT_TIME = "btime ";
    private static final String FLAGS = "flags:";

    /** O_DIRECT on x86-64 (fcntl.h). */
    private static final long DIRECT = 0x4000;

    /** Of /proc, whatever the kernel's own are (times(2), USER_HZ). */
    private static final long TICKS_PER_SECOND = 100;

    /** All processes visible here, in no order. */
    public static List<Proc> all() throws IOException {
        List<Proc> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(ROOT, "[0-9]*")) {
            for (Path entry : entries) {
                found.add(new Proc(Long.parseLong(entry.getFileName().toString())));
            }
        }
        return found;
    }

    /** The process itself. */
    public static Proc self() {
        return new Proc(ProcessHandle.current().pid());
    }

    /** The path of one of its files under /proc. */
    public Path file(String name) {
        return ROOT.resolve(Long.toString(pid)).resolve(name);
    }

    /** Returns true if the process exists and is not a zombie. */
    public boolean alive() {
        try {
            return state() != 'Z' && state() != 'X';
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * The text of a status file, for who wants several of its lines: the kernel takes some 30
     * microseconds for each.
     */
    public record Status(String text) {
        /**
         * One line by its name, such as {@code NSpid}; empty if the kernel has no such line. Only a
         * line feed ends one: a program may have other line ends in its name, and a line of its own
         * behind them.
         */
        public Optional<String> line(String name) {
            String prefix = name + ":";
            return Stream.of(text.split("\n"))
                    .filter(line -> line.startsWith(prefix))
                    .map(line -> line.substring(prefix.length()).strip())
                    .findFirst();
        }

        /** The numbers of a line such as {@code Uid} or {@code NSpid}. */
        public List<Long> numbers(String name) throws IOException {
            String line =
                    line(name).orElseThrow(() -> new IOException("no " + name + " in status"));
            try {
                return line.isEmpty()
                        ? List.of()
                        : Stream.of(line.split("\\s+")).map(Long::parseLong).toList();
            } catch (NumberFormatException e) {
                throw new IOException(name + " in status: " + e.getMessage(), e);
            }
        }
    }

    /** Its status as it is now. */
    public Status status() throws IOException {
        return new Status(read("status"));
    }

    /** {@link Status#line} of its status now. */
    public Optional<String> status(String name) throws IOException {
        return status().line(name);
    }

    /** {@link Status#numbers} of its status now. */
    public List<Long> statusNumbers(String name) throws IOException {
        return status().numbers(name);
    }

    /** Field {@code number} (1 = pid, 3 = state, 22 = start time) of /proc/PID/stat. */
    public String stat(int number) throws IOException {
        return statField(read("stat"), number);
    }

    private static String statField(String text, int number) throws IOException {
        // the name in field 2 may hold blanks and parentheses; what follows it may not
        String[] rest = text.substring(text.lastIndexOf(')') + 1).strip().split(" ");
        if (rest.length <= number - 3) {
            throw new IOException("no field " + number + " in stat");
        }
        return rest[number - 3];
    }

    /** R, S, D, T, t, Z, X or I. */
    public char state() throws IOException {
        return stat(3).charAt(0);
    }

    /** Start time in clock ticks since boot: with the pid, the identity of the process. */
    public long startTime() throws IOException {
        return startTimeIn(read("stat"));
    }

    /**
     * The same of the text of a stat file of any /proc.
     *
     * @throws IOException if it is not the text of one
     */
    public static long startTimeIn(String stat) throws IOException {
        try {
            return Long.parseLong(statField(stat, 22));
        } catch (NumberFormatException e) {
            throw new IOException("start time in stat: " + e.getMessage(), e);
        }
    }

    /** When it was started, in seconds since 1970; not exact to the second. */
    public long startedAtSeconds() throws IOException {
        for (String line : Files.readAllLines(ROOT.resolve("stat"))) {
            if (line.startsWith(BOOT_TIME)) {
                return Long.parseLong(line.substring(BOOT_TIME.length()))
                        + startTime() / TICKS_PER_SECOND;
            }
        }
        throw new IOException("no " + BOOT_TIME.strip() + " in /proc/stat");
    }

    public long parent() throws IOException {
        return Long.parseLong(stat(4));
    }

    public String name() throws IOException {
        return read("comm").strip();
    }

    /** The argument vector joined by blanks; empty for a zombie. */
    public String commandLine() throws IOException {
        return read("cmdline").replace('\0', ' ').strip();
    }

    /** Identity of one of its namespaces, such as {@code pid:[4026531836]}. */
    public String namespace(String kind) throws IOException {
        return Files.readSymbolicLink(file("ns/" + kind)).toString();
    }

    /**
     * Its open descriptors by number, each with what /proc calls it: a path, or such as {@code
     * socket:[1234]}. Needs the right to trace it.
     */
    public Map<Integer, String> descriptors() throws IOException {
        Map<Integer, String> found = new TreeMap<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(file("fd"))) {
            for (Path entry : entries) {
                int number = Integer.parseInt(entry.getFileName().toString());
                linkOf(entry).ifPresent(link -> found.put(number, link));
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return found;
    }

    /** What /proc tells of one of its descriptors (fdinfo); what, depends on its kind. */
    public String descriptorInfo(int number) throws IOException {
        return read("fdinfo/" + number);
    }

    /** With what one of its descriptors was opened (open(2)). */
    public long openFlags(int number) throws IOException {
        for (String line : descriptorInfo(number).split("\n")) {
            if (line.startsWith(FLAGS)) {
                return Long.parseLong(line.substring(FLAGS.length()).strip(), 8);
            }
        }
        throw new IOException("no " + FLAGS + " in fdinfo");
    }

    /** Whether one of its descriptors was opened with O_DIRECT (open(2)). */
    public boolean isDirect(int number) throws IOException {
        return (openFlags(number) & DIRECT) != 0;
    }

    private static Optional<String> linkOf(Path entry) throws IOException {
        try {
            return Optional.of(Files.readSymbolicLink(entry).toString());
        } catch (NoSuchFileException e) {
            return Optional.empty(); // closed meanwhile
        }
    }

    /** Numbers of its threads, as seen here. */
    public List<Proc> threads() throws IOException {
        List<Proc> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(file("task"))) {
            for (Path entry : entries) {
                found.add(new Proc(Long.parseLong(entry.getFileName().toString())));
            }
        }
        return found;
    }

    /** Its pid in the innermost pid namespace it lives in. */
    public long innerPid() throws IOException {
        return statusNumbers("NSpid").getLast();
    }

    /** Real user id. */
    public int uid() throws IOException {
        return statusNumbers("Uid").getFirst().intValue();
    }

    private String read(String name) throws IOException {
        return Files.readString(file(name), StandardCharsets.ISO_8859_1);
    }
}
