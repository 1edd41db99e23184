package io.migrator.network;

import io.migrator.linux.Proc;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** TCP connections of a network namespace, as /proc/PID/net/tcp lists them (proc(5)). */
public final class Connections {
    private static final int STATE = 3;
    private static final int INODE = 9;
    private static final String LISTEN = "0A";

    private Connections() {}

    /**
     * Every TCP socket that does more than listen.
     *
     * @param process in whose network namespace to look
     * @return as /proc/PID/fd calls them, such as {@code socket:[1234]}
     */
    public static Set<String> socketsOf(Proc process) throws IOException {
        Set<String> found = new HashSet<>();
        for (String family : List.of("net/tcp", "net/tcp6")) {
            try {
                String table = Files.readString(process.file(family), StandardCharsets.ISO_8859_1);
                table.lines().skip(1).forEach(line -> add(line, found));
            } catch (NoSuchFileException e) {
                // a kernel without IPv6
            }
        }
        return found;
    }

    private static void add(String line, Set<String> found) {
        String[] fields = line.strip().split("\\s+");
        if (fields.length > INODE && !fields[STATE].equals(LISTEN)) {
            found.add("socket:[" + fields[INODE] + "]");
        }
    }
}
