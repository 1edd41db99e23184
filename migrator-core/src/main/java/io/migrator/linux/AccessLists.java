package io.migrator.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** Access control lists of files (acl(5)), which the permissions are not all of. */
public final class AccessLists {
    private static final String NAME = "system.posix_acl_access";

    private AccessLists() {}

    /** Whether a file has one; a link is followed. */
    public static boolean has(Path file) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = arena.allocateFrom(file.toString());
            MemorySegment name = arena.allocateFrom(NAME);
            return Syscalls.call(Syscalls.GETXATTR, path.address(), name.address(), 0, 0) > 0;
        }
    }
}
