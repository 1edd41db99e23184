package io.migrator.criu;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;

/** Which process of a dump is forked by which at the restore (criu's images/pstree.proto). */
public final class Parents {
    private static final String IMAGE = "pstree.img";
    private static final int PID = 1;
    private static final int PARENT = 2;
    private static final int SESSION = 4;

    private Parents() {}

    /**
     * Parents by the pids of their children, inside the instance. Left out is who is in a session
     * that is neither its own nor its parent's: criu may have another fork it (criu/pstree.c,
     * prepare_pstree_ids).
     */
    public static Map<Integer, Integer> of(Path images) throws IOException {
        Map<Integer, Integer> sessions = new HashMap<>();
        Map<Integer, Integer> found = new HashMap<>();
        for (ProtoMessage entry : ImageFile.read(images.resolve(IMAGE)).entries()) {
            int pid = id(entry, PID);
            int parent = id(entry, PARENT);
            int session = id(entry, SESSION);
            Integer theirs = sessions.get(parent); // who comes before its children
            if (sessions.put(pid, session) != null) {
                throw new IOException(IMAGE + " holds process %d twice".formatted(pid));
            }
            if (theirs != null && (session == theirs || session == pid)) {
                found.put(pid, parent);
            }
        }
        return found;
    }

    private static int id(ProtoMessage entry, int field) throws IOException {
        OptionalLong number = entry.number(field);
        if (number.isEmpty() || number.getAsLong() != (int) number.getAsLong()) {
            throw new IOException(IMAGE + " holds no process");
        }
        return (int) number.getAsLong();
    }
}
