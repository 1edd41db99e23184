package io.migrator.network;

import io.migrator.linux.Proc;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Unix sockets of a network namespace (unix(7)). */
public final class UnixSockets {
    private static final int INODE = 6;
    private static final int PATH = 7;
    private static final int FIELDS = 8;
    private static final int UNSENT = 3;

    private UnixSockets() {}

    /**
     * Names that are not those of files, each with its socket as /proc/PID/fd calls it.
     *
     * @param process in whose namespace to look
     */
    public static Map<String, String> names(Proc process) throws IOException {
        Map<String, String> found = new HashMap<>();
        String table = Files.readString(process.file("net/unix"), StandardCharsets.ISO_8859_1);
        table.lines()
                .skip(1)
                .map(line -> line.strip().split("\\s+", PATH + 1))
                .filter(fields -> fields.length > PATH && fields[PATH].startsWith("@"))
                .forEach(fields -> found.put(fields[PATH], "socket:[" + fields[INODE] + "]"));
        return found;
    }

    /**
     * Connected sockets of a set, as /proc/PID/fd calls them.
     *
     * @param outside whose peers are not in the set
     * @param unaccepted on which something was sent that nobody has accepted yet
     */
    public record Connected(Set<String> outside, Set<String> unaccepted) {
        Connected() {
            this(new HashSet<>(), new HashSet<>());
        }
    }

    /**
     * Looks; ss(8) knows who is connected to whom.
     *
     * @param links as /proc/PID/fd calls them
     */
    public static Connected connected(NetSpace space, Set<String> links)
            throws Problem, InterruptedException {
        Connected found = new Connected();
        if (!space.isOpen()) {
            return found; // criu will say so
        }
        String out = space.run("ss", "-xHna").orFail("unix sockets cannot be looked at").out();
        out.lines()
                .forEach(line -> {
                    // type, state, two queues, path and inode, path and inode of the peer
                    String[] fields = line.strip().split("\\s+");
                    if (fields.length < FIELDS || !fields[0].startsWith("u_")) {
                        return; // of a name with line ends, which anybody may choose
                    }
                    String own = "socket:[" + fields[fields.length - 3] + "]";
                    String peer = fields[fields.length - 1];
                    if (!links.contains(own)) {
                        return;
                    }
                    boolean isNobody = peer.equals("0");
                    if (!isNobody && !links.contains("socket:[" + peer + "]")) {
                        found.outside.add(own);
                    }
                    if (isNobody && fields[1].equals("ESTAB") && !fields[UNSENT].equals("0")) {
                        found.unaccepted.add(own);
                    }
                });
        return found;
    }
}
